// Both stages of a training; the data come from imbalance_lab/report/stages_payload.py.

/** A column of a stage's score. @param {string} title @param {string} split @param {number} stage @returns {Column} */
const stageScore = (title, split, stage) => ({
  title,
  value: (row) => row[split][stage].value,
  cell: (row) => {
    const { value, ci95 } = row[split][stage];
    if (value === null) return "";
    return [number(value), el("small", {}, ci95 ? `[${ci95.map((end) => number(end)).join(", ")}]` : "")];
  },
});

if (data.stages) {
  const columns = [
    { title: "score", text: true, value: (row) => row.score },
    stageScore("stage 1, validation", "val", 0),
    stageScore("stage 2, validation", "val", 1),
    stageScore("stage 1, test", "test", 0),
    stageScore("stage 2, test", "test", 1),
    {
      title: "stage 2 − stage 1",
      value: (row) => row.difference?.difference ?? null,
      cell: (row) => baselineDifference(row.difference, "auroc"),
    },
  ];
  table("stages", columns, data.stages.rows);
}
