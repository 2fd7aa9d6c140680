// Reads the summary of the API into what the top of the page shows.

// read returns the numbers of a summary. Live keys are nobody's if they are open and have no owner.
export function read(summary) {
  const states = summary.by_state ?? {};
  const live = states.live ?? 0;
  const targets = (summary.as_of ?? []).map((t) => ({
    name: t.name, ended: t.ended, due: t.due ?? 0, failed: t.failed ?? 0, trouble: t.trouble,
    running: Boolean(t.begun) && !t.ended, late: Boolean(t.next) && Date.parse(summary.at) - Date.parse(t.next) > 3600_000,
  }));
  const groups = (list) => (list ?? []).map((g) => ({ name: g.name, live: g.live, open: Math.max(g.open, g.live), all: g.findings })).filter((g) => g.open > 0);
  const sum = (field) => targets.reduce((n, t) => n + t[field], 0);
  return {
    live, targets,
    total: summary.findings ?? 0,
    nobodys: summary.live_unowned ?? 0,
    worked: live - (summary.live_unowned ?? 0),
    fresh: summary.new?.findings ?? 0,
    freshLive: summary.new?.live ?? 0,
    unknown: (states.unknown ?? 0) + (states['id-active-secret-mismatch'] ?? 0),
    running: targets.some((t) => t.running),
    due: sum('due'),
    failed: sum('failed'),
    repositories: groups(summary.repositories),
    owners: groups(summary.owners),
    trend: summary.trend ?? [],
    off: summary.time_to_off ?? { count: 0 },
    oldest: summary.oldest_live,
  };
}
