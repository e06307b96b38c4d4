"""The tables of comparisons and closed forms: what people see, and what machines read."""

import csv
import io
import json
from fractions import Fraction

import sympy
import torch
from torch import Tensor, nn

from costlab.algebra import Conv2d, ReLU, auxiliary, seq
from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.report.tables.closed_form import closed_form_table, compared_forms_table
from costlab.report.tables.compare import compare_table, difference_table
from costlab.symbolic import closed_form, closed_forms

NETWORK = compare(ablation="inception_v3")


def test_every_ratio_is_there_as_a_fraction() -> None:
    rows = list(csv.DictReader(io.StringIO(compare_table(NETWORK).to_csv())))
    assert [row["variant"] for row in rows] == [count.label for count in NETWORK.counts]
    for row in rows:
        for name, whole in (
            ("multiply_adds", 5_713_216_096),
            ("parameters", 23_834_568),
            ("activations", 8_968_488),
        ):
            ratio = Fraction(int(row[name]), whole)
            assert Fraction(row[f"{name}_ratio"]) == ratio
            assert Fraction(row[f"{name}_saving"]) == 1 - ratio
            assert Fraction(row[f"{name}_inverse_ratio"]) == 1 / ratio
            assert abs(float(row[f"{name}_saving_percent"]) - float(100 * (1 - ratio))) < 1e-9


def test_a_wide_table_has_the_fractions_and_a_narrow_one_says_what_is_missing() -> None:
    table = compare_table(NETWORK)
    assert "43317077/25505429 (1.698)" in table.to_text()
    narrow = table.to_text(60)
    assert max(map(len, narrow.splitlines())) <= max(60, len(table.title))
    assert "1.698" in narrow
    assert "no room for: 1/ratio, parameters, parameters ratio," in narrow
    assert "no room for" not in table.to_text()


def test_inputs_are_shown_where_they_differ() -> None:
    text = compare_table(compare(ablation="receptive_field")).to_text()
    assert "3x151x151" in text
    assert text.startswith("Inception v3 with table 2's three inputs and stems, batch 1\n")
    assert "input 64x35x35, batch 1" in compare_table(compare(ablation="large_5x5")).to_text()


def test_what_the_baseline_has_nothing_of() -> None:
    table = compare_table(compare(ReLU(), Conv2d(4, 1), input=(4, 5, 5)))
    assert json.loads(table.to_json())["rows"][1]["multiply_adds_ratio"] is None
    assert "-" in table.to_text().splitlines()[5]


def test_the_title_says_that_heads_are_left_out() -> None:
    add_title = seq(conv=Conv2d(4, 1), head=auxiliary(Conv2d(2, 1)))
    assert (
        "without auxiliary heads"
        in compare_table(compare(add_title, add_title, input=(4, 5, 5)).inference).title
    )


def test_differences() -> None:
    rows = list(csv.DictReader(io.StringIO(difference_table(NETWORK).to_csv())))
    first = rows[0]
    assert (first["variant"], first["module"]) == ("figure 5: 3x3 for 5x5", "mixed_5b.b5x5.1.conv")
    assert (first["before"], first["after"], first["change"]) == ("conv2d 5x5", "conv2d 3x3", "changed")
    assert int(first["multiply_adds_change"]) == -16 * 48 * 64 * 35**2
    assert int(first["multiply_adds_before"]) == 25 * 48 * 64 * 35**2
    assert int(first["parameters_after"]) == 9 * 48 * 64
    for count_ in NETWORK.counts[1:]:
        changes = [int(row["parameters_change"]) for row in rows if row["variant"] == count_.label]
        assert sum(changes) == int(count_.parameters) - 23_834_568


def test_a_variant_is_named_once_where_people_read() -> None:
    text = difference_table(NETWORK).to_text()
    assert text.count("plain 7x7") == 1
    assert "-60,211,200" in text
    assert (
        difference_table(compare("conv_nxn", "conv_nxn"))
        .to_text()
        .endswith("conv_nxn (2): no module differs\n")
    )


def test_closed_forms_in_every_form() -> None:
    table = compared_forms_table(compare(ablation="small_3x3"), closed_forms(ablation="small_3x3"))
    content = json.loads(table.to_json())
    assert content["rows"][3] == {
        "variant": "1x3+3x1",
        "unverified": False,
        "quantity": "multiply_adds",
        "closed_form": "6*C**2*H*W",
        "ratio": "2/3",
        "saving": "1/3",
        "holds": "",
    }
    assert content["symbols"] == ["C", "H", "W"]
    assert r"1x3+3x1 & multiply-adds & $6 C^{2} H W$ & $\frac{2}{3}$ & $\frac{1}{3}$ \\" in table.to_latex()
    assert "| 1x3+3x1 | multiply-adds | `6*C**2*H*W` | `2/3` | `1/3` |" in table.to_markdown()
    assert "|  | parameters | `6*C**2` | `2/3` | `1/3` |" in table.to_markdown()


def test_conditions_of_all_variants_are_told_together() -> None:
    comparison = compare(ablation="grid_reduction")
    table = compared_forms_table(comparison, closed_forms(ablation="grid_reduction"))
    assert "holds where H is even and W is even" in table.notes
    assert "each form was held against counts" in table.notes
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert {row["holds"] for row in rows} == {"where H is even and W is even"}
    mixed = closed_forms(
        Conv2d(4, 3, 4), seq(Conv2d(4, 3, 3), Conv2d(4, 2, 2)), symbols=["H"], input=(4, 43, 43)
    )
    notes = compared_forms_table(compare(Conv2d(4, 3, 4), Conv2d(4, 3), input=(4, 43, 43)), mixed).notes
    assert "holds where H % 12 = 7" in notes  # 4 and 6 together; 43 leaves 7


def test_the_closed_form_of_each_module() -> None:
    table = closed_form_table(closed_form("inception_v3", "width"), depth=1)
    content = json.loads(table.to_json())
    width = sympy.Symbol("width")
    for name in ("multiply_adds", "parameters", "activations", "weights"):
        modules = sum(sympy.sympify(row[name]) for row in content["rows"])
        assert sympy.expand(modules - sympy.sympify(content["total"][name])) == 0
        at_half = sympy.sympify(content["total"][name]).subs(width, sympy.Rational(1, 2))
        assert at_half == getattr(count("inception_v3", width=0.5), name)
    assert content["symbols"] == {"width": 1.0}
    assert content["rows"][1]["module"] == "mixed_5b"
    assert table.title == "inception_v3 in width, input (3, 299, 299), batch 1"
    assert (
        "at width = 1.0: 5,713,216,096 multiply-adds, 23,834,568 parameters, "
        "8,968,488 activations, as counted" in table.notes
    )


def test_the_closed_form_for_any_size() -> None:
    table = closed_form_table(closed_form("stem", "height"))
    content = json.loads(table.to_json())
    anywhere = sympy.sympify(content["any_size"]["multiply_adds"])
    for height in (75, 100, 299):
        assert anywhere.subs("height", height) == count("stem", (3, height, 299)).multiply_adds
    assert r"multiply-adds for any height: $" in table.to_latex()
    assert r"\left\lfloor" in table.to_latex()
    assert "multiply-adds for any height: `" in table.to_markdown()


def test_an_interpolated_form_has_no_modules() -> None:
    for by in ("module", "kind"):
        table = closed_form_table(closed_form("inception_v3", "modules_8"), by=by)
        assert table.rows == ()
        assert "modules_8" in table.to_text()


class Solving(nn.Module):
    """Something without a rule."""

    def forward(self, x: Tensor) -> Tensor:
        solved: Tensor = torch.linalg.lstsq(x, x).solution
        return solved


def test_what_is_not_counted_is_told_with_the_network_it_is_in() -> None:
    compared = compare(nn.Conv2d(2, 3, 1), Solving(), input=torch.zeros(1, 2, 4, 4))
    table = compare_table(compared)
    (told,) = (str(note) for note in table.remarks(table.visible()) if "NOT COUNTED" in note)
    assert told.startswith("Solving: NOT COUNTED, for there is no rule, or it is in the data: linalg_lstsq,")
    assert table.facts()["not_counted"] == {"Solving": {"linalg_lstsq": [""]}}
