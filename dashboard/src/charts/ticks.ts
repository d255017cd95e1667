import { zoneOffsetMs } from "../model/zones";

const kMinute = 60_000;
const kSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440].map((minutes) => minutes * kMinute);

/** Round times of the zone's wall clock from `from` to `to`, at most `most` of them. */
export function timeTicks(from: number, to: number, most: number, zone: string): number[] {
  const step = kSteps.find((size) => Math.floor((to - from) / size) + 1 <= most) ?? kSteps[kSteps.length - 1]!;
  const ticks: number[] = [];
  let wall = Math.ceil((from + zoneOffsetMs(from, zone)) / step) * step;
  for (let guard = 0; guard < 200; guard += 1, wall += step) {
    // The offset at the tick itself may differ from the one at the start: a clock change lies between them.
    const guess = wall - zoneOffsetMs(from, zone);
    const at = wall - zoneOffsetMs(guess, zone);
    if (at > to) break;
    if (at >= from) ticks.push(at);
  }
  return ticks;
}
