// Times as people in China write them. All moments are ISO strings with a zone.

const ZONE = "Asia/Shanghai";
const PARTS = new Intl.DateTimeFormat("zh-CN", {
  timeZone: ZONE, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
  weekday: "short", hour: "2-digit", minute: "2-digit",
});
const DAY_MS = 86_400_000;

function partsOf(moment) {
  const parts = Object.fromEntries(PARTS.formatToParts(new Date(moment)).map((part) => [part.type, part.value]));
  const midnight = Date.UTC(Number(parts.year), Number(parts.month) - 1, Number(parts.day));
  return { ...parts, midnight, time: `${parts.hour}:${parts.minute}` };
}

/** `14:05` */
export function timeOfDay(moment) {
  return partsOf(moment).time;
}

/** `11月23日` */
export function dayOf(moment) {
  const parts = partsOf(moment);
  return `${parts.month}月${parts.day}日`;
}

/** `12月1日 周二 14:05` */
export function dayAndTime(moment) {
  const parts = partsOf(moment);
  return `${parts.month}月${parts.day}日 ${parts.weekday} ${parts.time}`;
}

/** `2026` */
export function yearOf(moment) {
  return partsOf(moment).year;
}

/** `14:05`, `昨天 14:05`, `明天 09:00`, `12月1日 14:05`, with the year when it is another. */
export function seenFrom(moment, now) {
  const parts = partsOf(moment);
  const today = partsOf(now);
  const days = Math.round((parts.midnight - today.midnight) / DAY_MS);
  const near = { "-1": "昨天 ", "0": "", "1": "明天 ", "2": "后天 " }[days];
  if (near !== undefined) return near + parts.time;
  const year = parts.year === today.year ? "" : `${parts.year}年`;
  return `${year}${parts.month}月${parts.day}日 ${parts.time}`;
}

/** `还有 2 小时 5 分`, or `已到` */
export function leftUntil(moment, now) {
  const minutes = Math.ceil((new Date(moment) - new Date(now)) / 60_000);
  if (minutes <= 0) return "已到";
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  if (days) return `还有 ${days} 天${hours ? ` ${hours} 小时` : ""}`;
  if (hours) return `还有 ${hours} 小时${rest ? ` ${rest} 分` : ""}`;
  return `还有 ${rest} 分钟`;
}

/** Minutes from one moment to another. */
export function minutesBetween(from, to) {
  return (new Date(to) - new Date(from)) / 60_000;
}
