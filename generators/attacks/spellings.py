"""Ways to spell a text otherwise, which several families use."""

from __future__ import annotations


def spell(pattern: str, text: str, **named: str) -> str:
    """Return one of the named spellings, or else the pattern with the text in place of each ``{}``."""
    return named[pattern] if pattern in named else pattern.replace("{}", text)


def fullwidth(text: str) -> str:
    """Return a text in the wide letters that Unicode's normalisation turns into those of ASCII."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def fullwidth_digits(text: str) -> str:
    """Return a text with its digits in the wide form, which ``int`` reads as well."""
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isdigit() else letter for letter in text)


def percent_encode(text: str) -> str:
    """Return a text with every byte of it percent-encoded, whether it needs that or not."""
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def change_letter(text: str, place: int, letter: str, otherwise: str) -> str:
    """Put a letter at a place of a text, or another where it stands there already."""
    return f"{text[:place]}{letter if text[place : place + 1] != letter else otherwise}{text[place + 1 :]}"
