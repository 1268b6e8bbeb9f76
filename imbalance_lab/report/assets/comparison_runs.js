// The single runs, folded below their settings.
table(
  "runs",
  [
    { title: "run", text: true, value: (row) => row.name, cell: (row) => hinted(shortened(row.name, 28), row.name) },
    ...data.run_keys.map((key, at) => ({
      title: key.short,
      hint: key.full,
      text: true,
      value: (row) => swept(row.values[at][1]),
      cell: (row) => hinted(row.values[at][0], row.values[at][1]),
    })),
    { title: `val ${scoreTitle}`, value: (row) => row.val, cell: (row) => number(row.val) },
    ...data.scores.map(({ key, title }) => ({
      title: `test ${title}`,
      value: (row) => (row.test[key] ? row.test[key].value : null),
      cell: (row) => (row.test[key] ? [number(row.test[key].value), el("small", {}, range(row.test[key].ci95))] : "–"),
    })),
  ],
  data.runs,
  50,
);
