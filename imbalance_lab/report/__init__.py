"""The report of a run and the comparison of several: pages, figures, tables, TensorBoard.

It only selects and formats; every number comes from `imbalance_lab.evaluation`.
"""
