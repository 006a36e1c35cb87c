from lociflow.file_names import file_names


def test_names_are_safe_and_told_apart():
    names = ["CTCF", "ctcf", "a/b:c d", "a b c d", "..", "é", "x" * 300]
    found = file_names(names, ".bw")
    assert found == ["CTCF.bw", "ctcf-2.bw", "a_b_c_d.bw", "a_b_c_d-2.bw", "_.bw", "_-2.bw", f"{'x' * 100}.bw"]
    assert len({file.lower() for file in found}) == len(names)
