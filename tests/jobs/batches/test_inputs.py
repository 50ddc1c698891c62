"""Inputs as people paste them, and as spreadsheets save them."""

import pytest

from jobs.batches import inputs
from jobs.batches.inputs import InputsRefused, decode_file, read_inputs, write_rows
from jobs.batches.lines import Line
from jobs.display.csv_text import write_csv


def lines(text: str) -> list[Line | None]:
    return [row.line for row in read_inputs(text).rows]


def problems(text: str) -> list[tuple[int, str]]:
    return [(row.number, row.problem) for row in read_inputs(text).rows if row.line is None]


def test_each_line_is_an_input() -> None:
    found = read_inputs("\ufeff s3://a/one.mov \r\n\r\nhttps://b/two,2.mov\rs3://a/three.mov\n")
    assert found.columns == []
    assert [(row.number, row.line) for row in found.rows] == [
        (1, Line("s3://a/one.mov")),
        (3, Line("https://b/two,2.mov")),
        (4, Line("s3://a/three.mov")),
    ]


def test_columns_say_what_a_line_differs_in() -> None:
    text = (
        "Name,INPUT,metadata.Reel,metadata.show,mp4,hls,destination,test,priority,extra.speed,"
        "extra.note\n"
        "Reel 1,s3://a/1.mov,1,night,720p 1080,360,s3://out/,yes,-50,2,as is\n"
        ",s3://a/2.mov,,,,,,,,,\n"
    )
    assert lines(text) == [
        Line(
            "s3://a/1.mov",
            "Reel 1",
            {"Reel": "1", "show": "night"},
            {
                "renditions": [
                    {"packaging": "mp4", "heights": [720, 1080]},
                    {"packaging": "hls", "heights": [360]},
                ],
                "destination": "s3://out/",
                "test": True,
                "priority": -50,
                "extra": {"speed": 2, "note": "as is"},
            },
        ),
        Line("s3://a/2.mov"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_write_is_read(delimiter: str) -> None:
    cells = ["s3://a/1.mov", 'He said "cut", and\nleft']
    row = delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells)
    text = f"\ufeffinput{delimiter}metadata.note\r\n{row.replace(chr(10), ' ')}\r\n\r\n"
    assert lines(text) == [Line("s3://a/1.mov", metadata={"note": 'He said "cut", and left'})]


def test_a_bad_line_says_why_and_the_others_are_read() -> None:
    text = (
        "input,name,mp4,test,priority\n"
        "s3://a/1.mov,one,720,true,1\n"
        "s3://a/2.mov,two\n"
        ",three,,,\n"
        "s3://a/4.mov,four,big,,\n"
        "s3://a/5.mov,five,,maybe,\n"
        "s3://a/6.mov,six,,,urgent\n"
        '"s3://a/7.mov"x,seven,,,\n'
        "s3://a/8.mov,\x07,,,\n"
        f"s3://a/9.mov,{'n' * 256},,,\n"
        "s3://a/10.mov,ten,,,,,\n"
        '"s3://a/11.mov,eleven,,,\ns3://a/12.mov,twelve,,,\n'
    )
    found = dict(problems(text))
    assert list(found) == [3, 4, 5, 6, 7, 8, 9, 10, 12]
    assert found[3] == "2 columns instead of 5."
    assert found[4] == "The input is empty."
    assert "such as 360 720; not “big”" in found[5]
    assert found[6] == "test is true or false."
    assert found[7] == "priority must be a whole number."
    assert "in the middle of a value" in found[8]
    assert found[9] == "Remove the control characters."
    assert "255 characters" in found[10]
    assert "never closed" in found[12]
    assert [line.input for line in lines(text) if line] == ["s3://a/1.mov", "s3://a/10.mov"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  \n ", "Enter at least one input."),
        ("input,name\n\n", "no line below the header"),
        ("name,url\na,s3://b/c.mov", "has no column “input”"),
        ("input,colour\ns3://a/b.mov,red", "no column “colour”"),
        ("input,metadata.\ns3://a/b.mov,red", "no column “metadata.”"),
        ("input,Name,name\ns3://a/b.mov,a,b", "“name” is there twice"),
        ("input,metadata.a\x07\ns3://a/b.mov,a", "control characters from the first line"),
        (f"input,{'c' * 9_000}\ns3://a/b.mov,a", r"no column “c{60}…”"),
    ],
)
def test_what_cannot_be_read_at_all_is_said(text: str, message: str) -> None:
    with pytest.raises(InputsRefused, match=message):
        read_inputs(text)


def test_a_batch_has_so_many_inputs_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_INPUTS", 2)
    with pytest.raises(InputsRefused, match="at most 2 inputs; these are 3"):
        read_inputs("s3://a/1\ns3://a/2\ns3://a/3")


def test_files_are_utf_8_or_what_a_spreadsheet_calls_unicode() -> None:
    assert decode_file("\ufeffüber".encode()) == "über"
    assert decode_file("über".encode("utf-16")) == "über"
    with pytest.raises(InputsRefused, match="not UTF-8"):
        decode_file("über".encode("latin-1"))


def test_bad_lines_come_back_as_they_were_with_their_problems() -> None:
    found = read_inputs("input;name\ns3://a/1.mov;one\nno;two")
    rows = list(write_rows(found, [(found.rows[1], "Not a URL.")]))
    assert rows == [["line", "problem", "input", "name"], ["3", "Not a URL.", "no", "two"]]


@pytest.mark.parametrize("text", ["{}", "input\n{}", "input,name\ns3://a/1.mov,{}"])
def test_a_line_that_is_too_long_is_a_bad_line(text: str) -> None:
    [(_, problem)] = problems(text.format("u" * 200_000))
    assert problem == "A value may have 20,000 characters."


def test_json_that_nobody_can_store_is_refused_and_other_text_is_text() -> None:
    values = ['{"a": 1, "a": 2}', "[" * 15_000 + "]" * 4_000, "NaN", "[draft] cut"]
    escaped = (value.replace('"', '""') for value in values)
    text = "input,extra.note\n" + "".join(f's3://a/1.mov,"{one}"\n' for one in escaped)
    assert [number for number, _ in problems(text)] == [2, 3]
    found = [line.overrides["extra"]["note"] for line in lines(text) if line]
    assert found == ["NaN", "[draft] cut"]


def test_the_file_of_bad_lines_can_be_corrected_and_sent_again() -> None:
    given = 'input,name,priority\nno,"=one",-5\n"s3://a/2.mov"x,two,1\n'
    found = read_inputs(given)
    rows = [(row, row.problem or "Not a URL.") for row in found.rows]
    downloaded = "".join(write_csv(write_rows(found, rows)))
    assert '"s3://a/2.mov"x,two,1'.replace('"', '""') in downloaded
    corrected = "".join(downloaded.splitlines(keepends=True)[:2]).replace(",no,", ",s3://a/1.mov,")
    assert lines(corrected) == [Line("s3://a/1.mov", "=one", None, {"priority": -5})]
    again = read_inputs(corrected)
    assert next(write_rows(again, [])) == ["line", "problem", "input", "name", "priority"]
