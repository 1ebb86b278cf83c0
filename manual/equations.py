"""Formulas of docstrings, which are plain text, as HTML: no script and no font is needed.

A docstring writes z_i, n^(1/4), x^_k, w~, sum_{j in P}, alpha. What stands there is shown with
subscripts, superscripts, hats and Greek letters; words and names of options stay as they are.
"""

import html
import re

_GREEK = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "Delta": "Δ", "eps": "ε", "kappa": "κ"},
    **{"lam": "λ", "lambda": "λ", "mu": "μ", "omega": "ω", "rho": "ρ", "sigma": "σ"},
    **{"tau": "τ", "theta": "θ"},
}
_SIGNS = [
    *((">=", "≥"), ("<=", "≤"), ("!=", "≠"), ("<-", "←"), ("->", "→"), ("||", "‖")),
    *((" * ", " · "), (" . ", " · "), (" - ", " − "), ("(-", "(−"), (" ~ ", " ∼ ")),
]
_SCRIPTED = re.compile(
    r"(?:(?<![\w`.])(?P<base>sum|log|mean|cos|pt|[A-Za-z]|" + "|".join(_GREEK) + r")"
    r"|(?<=[)\]|}])(?=[_^]))"
    r"(?P<mark>[\^~](?=[_^\s.\[),;'|]|$))?"
    r"(?P<prime>'*)"
    r"(?:_(?P<low>\{[^{}]*\}|[A-Za-z0-9]+'?))?"
    r"(?:\^(?P<high>\{[^{}]*\}|\([^()]*\)|[A-Za-z0-9]+))?"
    r"(?P<after>'*)(?![\w`])"
)
_START = re.compile(
    r"^(?!\w+ = -?[\d.]+ (?:is|has|gives)\b)"  # a sentence on a value
    r"(?:[A-Za-z][\w^~'\[\], |]{0,24}(?:\([^()]*\))? (?:=|~|<-) "
    r"|(?:Training|Evaluation|residual|Stage \d): )"
)
_CODE = re.compile(r"(`[^`]*`)")


def _letter(base: str) -> str:
    if base in _GREEK:
        return f"<i>{_GREEK[base]}</i>"
    return "∑" if base == "sum" else f"<i>{base}</i>" if len(base) < 3 else base


def _one(match: re.Match[str]) -> str:
    base, low, high = match["base"] or "", match["low"], match["high"]
    mark, primes = match["mark"] or "", (match["prime"] + match["after"]).replace("'", "′")
    if not (low or high or mark or primes or base in _GREEK):
        return match[0]  # "a", "I" and "sum" are words too
    if low and len(base) > 1 and base not in _GREEK and low.isalpha() and len(low) > 2:
        return match[0]  # a name with an underscore
    sign = {"^": "\u0302", "~": "\u0303", "": ""}[mark]
    shown = _letter(base).replace("</i>", f"{sign}</i>")
    below = f"<sub>{_script(low.strip('{}'))}</sub>" if low else ""
    above = f"<sup>{_script(high.strip('{}()'))}</sup>" if high else ""
    return f"{shown}{primes}{below}{above}"


def _script(text: str) -> str:
    return _marked(text.replace(" in ", " ∈ "), plain=True)


def _marked(text: str, plain: bool) -> str:
    """Return `text` as HTML, its formulas marked; a `plain` one is a formula as a whole."""
    kept: list[str] = []

    def aside(shown: str) -> str:
        kept.append(shown)
        return f"\x00{len(kept) - 1}\x00"

    rest = _SCRIPTED.sub(lambda m: aside(s) if (s := _one(m)) != m[0] else s, text)
    for written, sign in _SIGNS:
        rest = rest.replace(written, sign)
    rest = html.escape(rest, quote=False)
    if plain:
        rest = re.sub(r"^-", "−", re.sub(r"= -", "= −", rest))
        rest = re.sub(r"(?<![\w&])([B-Zb-z])(?![\w&;])", r"<i>\1</i>", rest)
        rest = re.sub(r"(?<![\w&])a(?= [z)])", "<i>a</i>", rest)
    rest = rest if plain else _safe(rest)
    return re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], rest)


def inline(text: str) -> str:
    """Return a paragraph of prose as HTML in Markdown, formulas and `code` in it marked."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else _marked(part, plain=False) for part in parts)


def _safe(text: str) -> str:
    """Keep Markdown from reading signs of a formula."""
    return re.sub(r"([*_\[\]|~^\\])", r"\\\1", text)


def split(paragraph: str) -> tuple[list[str], str]:
    """Return the formulas at the start of a paragraph, a line each, and the prose after them."""
    lines, formulas = paragraph.split("\n"), []
    while lines and (_START.match(lines[0]) or (formulas and _goes_on(formulas[-1], lines[0]))):
        formula, rest = _end(lines.pop(0))
        if formulas and _goes_on(formulas[-1], formula) and not _START.match(formula):
            formulas[-1] += f" {formula.strip()}"
        else:
            formulas.append(formula)
        if rest:
            lines.insert(0, rest)
            break
    return formulas, " ".join(lines)


def _goes_on(before: str, line: str) -> bool:
    words = re.findall(r"[a-z]{4,}", line)
    return before.endswith((",", "(", "+", "=", ".", "if", "else")) and len(words) < 3


def _end(line: str) -> tuple[str, str]:
    """Cut a line where its formula ends and a sentence begins."""
    found = re.search(
        r"(?<=[^\s.])[.;,]\s+(?=(?:[A-Z][a-z]+|tau|gamma|eps|beta|with|where|the|as|"
        r"weighted|mirrored|label|in|one)\b(?! ?=? ?\())",
        line,
    )
    return (line[: found.start() + 1], line[found.end() :]) if found else (line, "")


def block(paragraph: str) -> str:
    """Return a paragraph of a docstring as Markdown, its leading formulas set apart."""
    formulas, prose = split(paragraph)
    shown = [
        f'<p class="equation">{_marked(" ".join(line.split()), plain=True)}</p>'
        for line in formulas
    ]
    return "\n".join([*shown, "", inline(prose)]) if prose else "\n".join(shown)
