"""Colours for programs: a Pygments lexer, and the TextMate grammar that editors read. The words come from the compiler's tables."""
