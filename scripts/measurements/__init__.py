"""What the reproductions share: measurements in a file, runs of the program itself, and pages in Markdown."""
