"""A table as HTML."""

from costlab.report.html.text import escaped, isolated
from costlab.report.table import Table


def table_html(table: Table) -> str:
    """The columns that people are shown, with the title as its caption and the notes below."""
    columns = table.visible()
    head, *lines = table.cells(columns, lambda column, value: column.show(value))
    numeric = [column.numeric for column in columns]
    body = [_row(line, numeric) for line in lines]
    total = f"<tfoot>{body.pop()}</tfoot>" if table.total is not None else ""
    heads = "".join(
        f'<th scope="col"{_class(is_number)}>{escaped(title)}</th>'
        for title, is_number in zip(head, numeric, strict=True)
    )
    notes = "".join(f'<p class="note">{escaped(note)}</p>' for note in table.remarks(columns))
    return (
        f'<div class="wide"><table><caption>{escaped(table.title)}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody>{total}</table></div>{notes}"
    )


def _row(cells: list[str], numeric: list[bool]) -> str:
    shown = (
        f"<td{_class(is_number)}>{isolated(cell)}</td>"
        for cell, is_number in zip(cells, numeric, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"


def _class(is_number: bool) -> str:
    return ' class="number"' if is_number else ""
