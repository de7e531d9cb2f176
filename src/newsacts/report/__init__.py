"""What people look at: one self-contained HTML file each for an article, a corpus and an evaluation."""
