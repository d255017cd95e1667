import { useEffect, useRef } from "react";
import { echarts, type ChartInstance, type ChartOption } from "./echarts";

interface Props {
  option: (width: number) => ChartOption;
  /** Says in words what the picture shows. */
  label: string;
  /** Charts of one group show their pointers together. */
  group?: string;
  testId: string;
  /** Read by tests: what has been drawn. */
  drawn: Record<`data-${string}`, string | number>;
  onSelect?: (name: string) => void;
}

/** A chart in a box of fixed height: drawn again when its option or the width of its box changes. */
export function Chart({ option, label, group, testId, drawn, onSelect }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ChartInstance>();
  const latest = useRef({ option, onSelect });
  latest.current = { option, onSelect };

  useEffect(() => {
    const element = box.current!;
    const instance = echarts.init(element, undefined, { renderer: "svg" });
    chart.current = instance;
    instance.on("click", (event) => latest.current.onSelect?.(String(event.name)));
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width || element.clientWidth === 0) return;
      width = element.clientWidth;
      instance.resize();
      instance.setOption(latest.current.option(width), { notMerge: true });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      instance.dispose();
      chart.current = undefined;
    };
  }, []);

  useEffect(() => {
    const instance = chart.current;
    if (!instance) return;
    if (group) {
      instance.group = group;
      echarts.connect(group);
    }
  }, [group]);

  useEffect(() => {
    chart.current?.setOption(option(box.current?.clientWidth || 320), { replaceMerge: ["series"] });
  }, [option]);

  return <div ref={box} className="chart" role="img" aria-label={label} data-testid={testId} {...drawn} />;
}
