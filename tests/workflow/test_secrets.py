"""A token in an address of the configuration reaches the server, and nothing that is printed or kept."""

import yaml

SECRET = "Zo0Yah7e"
URL = f"http://127.0.0.1:9/x.vcf?version=2&token={SECRET}"


def test_a_token_stays_out_of_what_snakemake_prints_and_keeps(copy):
    run = {"variant_effects": {"files": {"mine": {"url": URL, "derived_from": URL}}}}
    (copy.folder / "run.yaml").write_text(yaml.safe_dump(run))
    (copy.folder / "scripts" / "fetch.py").write_text(
        "import json, os, sys\n"
        "source = json.loads(sys.argv[sys.argv.index('--source') + 1])\n"
        "print(source['url'], file=sys.stderr)\n"
        "told = json.loads(os.environ['LOCIFLOW_ADDRESSES'])[source['url']]\n"
        f"assert told == {URL!r}\n"
        "sys.exit(1)\n"
    )
    target = "resources/sources/variants/mine/x.vcf"
    ran = copy.snakemake("--printshellcmds", "--configfile", "run.yaml", "--cores", "1", "--", target)
    assert ran.returncode == 1
    shown = "http://127.0.0.1:9/x.vcf?version=2&token=***"
    # As the script had it, in the command, and in the account of the failure.
    assert ran.stderr.count(shown) >= 3
    assert "AssertionError" not in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr
    kept = [path for path in copy.folder.rglob("*") if path.is_file() and path.name != "run.yaml"]
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == [copy.folder / "scripts" / "fetch.py"]
