"""The floors of docs/architecture.md, read from its table and held against every import."""

import ast
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "tinydl").rglob("*.py"))
}
# It gathers the public names, so it may import everything; hence nothing inside may import it.
FACADE = "tinydl"


def floors_of(table):
    """{module: floor} from a Markdown table with rows like `| 2 | `tinydl/ops/` | ... |`."""
    floors = {}
    for floor, names in re.findall(r"^\| (\d) \| ([^|]+) \|", table, re.MULTILINE):
        for name in re.findall(r"`([\w/.]+)`", names):
            path = name if name.startswith(("tinydl/", "csrc/")) else f"tinydl/{name}"
            floors[path.removesuffix(".py").strip("/").replace("/", ".")] = int(floor)
    return floors


FLOORS = floors_of((ROOT / "docs" / "architecture.md").read_text())


def floor_of(module):
    """The floor of the module itself, or of the package that holds it; infinity if it has none."""
    while module and module not in FLOORS:
        module = module.rpartition(".")[0]
    return FLOORS.get(module, math.inf)


def imports_of(source, module):
    """The modules of tinydl that `source` imports, except those only a type checker sees."""
    tree = ast.parse(source)
    hidden = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for child in test.body
        for node in ast.walk(child)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] == "tinydl")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write the full name"
            if node.module and node.module.split(".")[0] == "tinydl":
                for name in node.names:
                    full = f"{node.module}.{name.name}"
                    yield full if full in MODULES else node.module


def upward_imports(source, module):
    """What `source`, as the code of `module`, imports from a floor above it."""
    return [
        imported
        for imported in imports_of(source, module)
        if imported == FACADE or floor_of(imported) > floor_of(module)
    ]


@pytest.mark.parametrize("module", [name for name in MODULES if name != FACADE])
def test_a_module_stands_on_a_floor_and_looks_down_only(module):
    assert floor_of(module) < math.inf, f"{module} is not in the table of docs/architecture.md"
    assert upward_imports(MODULES[module].read_text(), module) == []


def test_what_the_table_names_exists():
    missing = [name for name in FLOORS if name != "csrc" and name not in MODULES]
    assert missing == []


@pytest.mark.parametrize(
    "line",
    [
        "import tinydl",
        "import tinydl.layers",
        "from tinydl import layers",
        "from tinydl.layers import Dense",
        "def f():\n    from tinydl.models import Model",
    ],
)
def test_an_upward_import_would_be_found(line):
    assert upward_imports(line, "tinydl.engine")


def test_a_downward_import_is_fine():
    assert upward_imports("from tinydl.errors import ShapeError", "tinydl.engine") == []
    assert upward_imports("if TYPE_CHECKING:\n    import tinydl.layers", "tinydl.engine") == []


def test_importing_tinydl_loads_nothing_heavy():
    heavy = "matplotlib", "PIL", "rich", "safetensors"
    code = f"import sys, tinydl; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert result.stdout.strip() == "[]"


def test_nothing_touches_numpys_global_random_state():
    state = re.compile(r"np\.random\.(?!Generator|default_rng|SeedSequence|PCG64|BitGenerator)\w")
    users = [name for name, path in MODULES.items() if state.search(path.read_text())]
    assert users == []
