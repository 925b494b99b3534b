"""What the output of every command is drawn with: the screen, tables, bars, charts, the terminal's width."""
