"""Text -> raw tokens, with line ends and doc comments among them. What they mean together is `layout`'s to settle.

Every mistake is reported and mended on the spot, so that the parser sees what was meant: `'x'` becomes a string, `&&`
becomes `and`, a full-width `（` becomes `(`.
"""

from __future__ import annotations

import re
import unicodedata

from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.source import Source, Span
from dslc.syntax import limits
from dslc.syntax.tables import PATTERNS, PUNCTUATION
from dslc.syntax.token import CUT, DOC, END, NEWLINE, SEMICOLON, Token
from dslc.syntax.words import short

_FREE = "|".join(f"(?P<{name}>{pattern})" for name, pattern in PATTERNS.items())
_FIXED = "|".join(map(re.escape, sorted(PUNCTUATION, key=len, reverse=True)))
_TOKEN = re.compile(
    rf"(?P<SPACE>[ \t\r\f]+)|(?P<COMMENT>#[^\n]*)|(?P<NEWLINE>\n)|(?P<SEMICOLON>;)"
    rf"|(?P<FOREIGN>&&|\|\||//|!(?!=)|===|<>)|{_FREE}|(?P<FIXED>{_FIXED})"
)
_NUMBER_TAIL = re.compile(r"[0-9A-Za-z_]*(\.(?!\.)[0-9A-Za-z_]*)*")
_ESCAPE = re.compile(r'\\(?:([\\"nrt])|u([0-9a-fA-F]{4})|(.))', re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}
_FOREIGN = {"&&": ("AND", "and"), "||": ("OR", "or"), "!": ("NOT", "not"), "===": ("EQ", "=="), "<>": ("NE", "!=")}
_QUOTES = {"'": "'", "\u201c": "\u201d", "\u201d": "\u201d", "\u2018": "\u2019", "\u2019": "\u2019"}


def unescape(text: str) -> str:
    """The value of a string token: its text without quotes and with escapes resolved."""

    def resolve(match: re.Match[str]) -> str:
        simple, code, other = match.groups()
        return _SIMPLE[simple] if simple else chr(int(code, 16)) if code else other

    return _ESCAPE.sub(resolve, text[1:-1]) if "\\" in text else text[1:-1]


def place_in_string(text: str, at: int) -> int:
    """Where character `at` of a string's value stands in its token; one past the last is the closing quote."""
    position = 1
    for match in _ESCAPE.finditer(text):
        plain = match.start() - position
        if at <= plain:
            break
        at -= plain + 1
        position = match.end()
    return position + at


def scan(source: Source, sink: Sink) -> list[Token]:
    """All tokens of a source, the last one `$END`."""
    return _Lexer(source, sink).run()


class _Lexer:
    def __init__(self, source: Source, sink: Sink) -> None:
        self._source = source
        self._text = source.text
        self._sink = sink
        self._tokens: list[Token] = []

    def run(self) -> list[Token]:
        text, tokens = self._text, self._tokens
        at = 1 if text.startswith("\ufeff") else 0
        while at < len(text) and len(self._sink.found) < limits.ERRORS:
            match = _TOKEN.match(text, at)
            if match is None:
                at = self._stray(at)
                continue
            kind, end = match.lastgroup or "", match.end()
            if kind == "FIXED":
                tokens.append(Token(PUNCTUATION[match[0]], match[0], at, end))
            elif kind == "NAME":
                end = self._name(at, end)
            elif kind == "NUMBER":
                end = self._number(at, end)
            elif kind == "STRING":
                end = self._string(at, end)
            elif kind == "COMMENT":
                self._comment(match[0], at)
            elif kind == "FOREIGN":
                end = self._foreign(match[0], at)
            elif kind in (NEWLINE, SEMICOLON):
                tokens.append(Token(kind, match[0], at, end))
            at = end
            if len(tokens) > limits.TOKENS:
                self._report("DL0031", f"the file has more than {limits.TOKENS:_} tokens", at, at)
                return [Token(END, "", at, at)]
        tokens.append(Token(END, "", at, at))
        return tokens

    def _report(self, code: str, message: str, start: int, end: int, label: str = "", *footers: Note | Help) -> None:
        self._sink.report(code, message, Span(self._source, start, end), label, footers=footers)

    def _replace(self, text: str, start: int, end: int, by: str) -> Help:
        return Help(text, (Edit(Span(self._source, start, end), by),))

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        end = len(self._text) if end == -1 else end
        return end - 1 if end > at and self._text[end - 1] == "\r" else end

    # ------------------------------------------------------------------------------------------ well-formed tokens

    def _comment(self, text: str, at: int) -> None:
        """Only a `##` that begins its line is a doc comment."""
        alone = not self._tokens or self._tokens[-1].kind in (NEWLINE, DOC)
        if alone and text.startswith("##") and not text.startswith("###"):
            self._tokens.append(Token(DOC, text[2:].strip(), at, at + len(text)))

    def _name(self, start: int, end: int) -> int:
        while end < len(self._text) and (self._text[end].isalnum() or self._text[end] == "_"):
            end += 1
        name = self._text[start:end]
        if not name.isascii():
            self._report(
                "DL0003",
                f"the name `{short(name)}` has characters outside ASCII",
                start,
                end,
                "use a-z, A-Z, 0-9 and _",
            )
        elif len(name) > limits.NAME_CHARACTERS:
            self._report(
                "DL0032", f"a name of {len(name):_} characters", start, end, f"at most {limits.NAME_CHARACTERS}"
            )
        self._tokens.append(Token("NAME", name, start, end))
        return end

    def _number(self, start: int, end: int) -> int:
        tail = _NUMBER_TAIL.match(self._text, end)
        stop = tail.end() if tail is not None else end
        if stop > end:
            return self._bad_number(start, end, stop)
        text = self._text[start:end]
        if len(text) > limits.NUMBER_CHARACTERS:
            self._report(
                "DL0032", f"a number of {len(text):_} characters", start, end, f"at most {limits.NUMBER_CHARACTERS}"
            )
            text = "1"
        elif float(text) == float("inf"):
            self._report(
                "DL0005", f"the number {text} is too large", start, end, "above the largest f64, about 1.8e308"
            )
            text = "1"
        self._tokens.append(Token("NUMBER", text, start, end))
        return end

    def _bad_number(self, start: int, end: int, stop: int) -> int:
        text = self._text[start:stop]
        number, rest = self._text[start:end], self._text[end:stop]
        label, mended = _number_mistake(number, rest)
        helps = [self._replace("write it so:", start, stop, mended)] if mended else []
        self._report("DL0005", f"`{short(text)}` is not a number", start, stop, label, *helps)
        self._tokens.append(Token("NUMBER", number, start, stop))
        return stop

    def _string(self, start: int, end: int) -> int:
        text = self._text[start:end]
        if text == '""' and self._text.startswith('"', end):
            return self._triple(start)
        if len(text) > limits.STRING_CHARACTERS:
            self._report(
                "DL0032", f"a string of {len(text):_} characters", start, end, f"at most {limits.STRING_CHARACTERS:_}"
            )
        if "\\" in text:
            self._check_escapes(text, start)
        self._tokens.append(Token("STRING", text, start, end))
        return end

    def _check_escapes(self, text: str, start: int) -> None:
        for match in _ESCAPE.finditer(text):
            at = start + match.start()
            surrogate = match[2] is not None and 0xD800 <= int(match[2], 16) < 0xE000
            if match[3] is None and not surrogate:
                continue
            what = (
                "names half a character"
                if surrogate
                else 'the escapes are \\n \\t \\r \\" \\\\ and \\u followed by four hex digits'
            )
            helps = [] if surrogate else [self._replace("for a backslash itself, write two:", at, at + 1, "\\\\")]
            self._report("DL0004", f"`{match[0]}` is not an escape", at, start + match.end(), what, *helps)
            return

    # ------------------------------------------------------------------------------------------ mistakes

    def _foreign(self, text: str, at: int) -> int:
        end = at + len(text)
        if text == "//":
            comment = self._replace("a comment begins with `#`:", at, end, "#")
            whole = Note("division of sizes that rounds down is `floor_div(a, b)`")
            self._report("DL0009", "`//` is not part of the language", at, end, "", comment, whole)
            return self._line_end(at)
        kind, ours = _FOREIGN[text]
        by = ours if kind in ("EQ", "NE") else f"{ours} "
        by = by.rstrip() if self._text[end : end + 1].isspace() else by
        self._report("DL0009", f"`{text}` is written `{ours}`", at, end, "", self._replace("write:", at, end, by))
        # A word operator goes on as the keyword it stands for; `layout` makes it one.
        self._tokens.append(Token(kind if kind in ("EQ", "NE") else "NAME", ours, at, end))
        return end

    def _triple(self, start: int) -> int:
        close = self._text.find('"""', start + 3)
        stop = close + 3 if close != -1 else self._line_end(start)
        mend = Help('a string is `"..."` on one line; a doc comment is a line that begins with `##`')
        self._report("DL0008", "there are no triple-quoted strings", start, start + 3, "", mend)
        self._tokens.append(Token("STRING", '""', start, stop))
        return stop

    def _stray(self, at: int) -> int:
        """A character that begins no token."""
        character = self._text[at]
        if character == '"':
            return self._unterminated(at)
        if character in _QUOTES:
            return self._quoted(at, _QUOTES[character])
        if character.isalnum():
            return self._name(at, at + 1)
        ascii_form = unicodedata.normalize("NFKC", character)
        ascii_form = {"\u3002": ".", "\u3001": ",", "\u2212": "-", "\u00d7": "*"}.get(character, ascii_form)
        if ascii_form in PUNCTUATION or ascii_form == ";":
            mend = self._replace("write the ASCII character:", at, at + 1, ascii_form)
            self._report(
                "DL0003",
                f"`{character}` is not `{ascii_form}`",
                at,
                at + 1,
                _named(character),
                mend,
            )
            self._tokens.append(Token(PUNCTUATION.get(ascii_form, SEMICOLON), ascii_form, at, at + 1))
            return at + 1
        if ascii_form.isspace():
            mend = self._replace("write an ordinary space:", at, at + 1, " ")
            self._report("DL0003", "a space that is not an ordinary one", at, at + 1, _named(character), mend)
            return at + 1
        end = at + 1
        while end < len(self._text) and not self._begins_something(end):
            end += 1
        what = "this character means nothing here" if end == at + 1 else "these characters mean nothing here"
        self._report("DL0003", what, at, end, _named(character) if end == at + 1 else "")
        return end

    def _begins_something(self, at: int) -> bool:
        character = self._text[at]
        return (
            character in _QUOTES or character == '"' or character.isalnum() or _TOKEN.match(self._text, at) is not None
        )

    def _unterminated(self, at: int) -> int:
        end = self._line_end(at)
        self._report("DL0002", "this string has no closing quote", at, end, "a string ends on the line it begins on")
        self._tokens += [Token("STRING", f'{self._text[at:end]}"', at, end), Token(CUT, "", end, end)]
        return end

    def _quoted(self, at: int, closing: str) -> int:
        line_end = self._line_end(at)
        close = self._text.find(closing, at + 1, line_end)
        if close == -1:
            close = self._text.find('"', at + 1, line_end)
        if close == -1:
            self._report(
                "DL0008", f"`{self._text[at]}` does not begin a string", at, at + 1, 'strings are written `"..."`'
            )
            return line_end
        inner = self._text[at + 1 : close].replace('"', '\\"')
        mend = self._replace("write:", at, close + 1, f'"{inner}"')
        self._report("DL0008", "strings are written in double quotes", at, close + 1, "", mend)
        self._tokens.append(Token("STRING", f'"{inner}"', at, close + 1))
        return close + 1


def _named(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '').lower()}".rstrip()


def _number_mistake(number: str, rest: str) -> tuple[str, str]:
    """What is wrong with a number that goes on with `rest`, and the number that was meant, if that is plain."""
    if rest.strip("_") == "" or "__" in rest or rest.endswith("_"):
        return "one `_` between two digits at most", re.sub("_+", "_", number + rest).strip("_")
    if rest == ".":
        return "digits must follow the point", f"{number}.0"
    if number == "0" and re.fullmatch("[0-9]+", rest):
        return "a whole number does not begin with 0", rest.lstrip("0") or "0"
    if number == "0" and rest[0] in "xXbBoO":
        try:
            return "numbers are decimal", str(int(number + rest, 0))
        except ValueError:
            return "numbers are decimal", ""
    if rest.count(".") > 1 or (rest.count(".") == 1 and "." in number):
        return "more than one point", ""
    if rest in ("e", "E"):
        return "digits must follow the exponent", ""
    if re.fullmatch("[A-Za-z][A-Za-z_]*", rest):
        return "a unit stands apart from its number", f"{number} {rest}"
    return "", ""
