"""What pages for people show alike, whichever door they belong to: words, icons, cells, and how runs are told."""
