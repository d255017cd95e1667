import { BarChart, CandlestickChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import * as core from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

// Only what the pages draw; every further module is paid for by every visitor.
core.use([BarChart, CandlestickChart, LineChart, ScatterChart, GridComponent, TooltipComponent, SVGRenderer]);

export { core as echarts };
export type ChartOption = core.EChartsCoreOption;
export type ChartInstance = core.ECharts;
