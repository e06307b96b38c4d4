"""Files that `torch.export.save` wrote: read as data, with the weights mapped from the file."""

import ast
import json
import mmap
import re
import warnings
from collections.abc import Iterator
from errno import ENOMEM
from importlib import import_module
from io import BytesIO
from math import prod
from pathlib import Path
from struct import unpack_from
from typing import Any, NamedTuple
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import torch
from torch import Tensor, nn
from torch._export.serde import schema, serialize
from torch.export import ExportedProgram
from torch.export.pt2_archive import constants as archive_names

from costlab.errors import CostlabError, TargetError, first_line
from costlab.messages import first_sentence, shortened

EXPRESSION = re.compile(
    r"(?:\b[A-Z][A-Za-z]*\(|'[A-Za-z]\w*'|\b[a-z]+=(?:True|False)\b|\b(?:True|False|oo)\b|[-\d\s,()])*"
)
"""How torch writes the sizes that are left open; Python evaluates them, so nothing else is let through."""
MOST_POWER = 4096
"""The most that the powers in a size come to, one of another as well: larger ones may take forever."""
LOCAL_FILE, LOCAL_HEADER = b"PK\3\4", 30
"""What stands before a record in a zip archive: how it begins, and its bytes without name and extra field."""
NO_MEMORY = "can't allocate memory"
"""What torch says then."""
INSTEAD = "load it with torch.export.load if you trust it, and give costlab.count the program"


class Archive(NamedTuple):
    """A zip archive of torch.export: its records by their names in it, and the bytes of the file, mapped."""

    zip: ZipFile
    records: dict[str, ZipInfo]
    mapped: mmap.mmap


def read_program(file: Path) -> ExportedProgram:
    """The program in a file of `torch.export.save`, whose weights take no memory until they are read.

    Nothing in the file is run: what would have to be unpickled to make objects of any class is refused.

    Raises:
        TargetError: there is no such file, it holds something else, is damaged, or of an unknown version.
    """
    try:
        _refuse_no_file(file)
        with ZipFile(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how torch itself reads
            return _program(file, archive)
    except CostlabError:
        raise
    except FileNotFoundError:
        raise TargetError(f"{file}: there is no such file") from None
    except BadZipFile as error:
        raise TargetError(f"{file} is no exported program, or is damaged") from error
    except KeyError as error:
        raise TargetError(f"{file} is damaged: it lacks {first_sentence(error)}") from error
    except Exception as error:  # whatever torch raises where it reads what is damaged
        if isinstance(error, MemoryError) or getattr(error, "errno", 0) == ENOMEM or NO_MEMORY in str(error):
            size = file.stat().st_size
            raise TargetError(f"{file} has {size:,} bytes, more than this machine has memory for") from error
        if isinstance(error, OSError):
            raise TargetError(f"{file} cannot be read: {error.strerror or first_line(error)}") from error
        raise TargetError(f"{file} cannot be read as an exported program: {first_line(error)}") from error


def _refuse_no_file(file: Path) -> None:
    if file.is_dir():
        raise TargetError(f"{file} is a folder: name a file")
    if not file.stat().st_size:
        raise TargetError(f"{file} is empty")


def _mapped(file: Path) -> mmap.mmap:
    """The bytes of a file, for as long as a tensor lies in them; a copy is made of what is written into."""
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)


def _program(file: Path, archive: ZipFile) -> ExportedProgram:
    names = archive.namelist()
    # All records lie in one folder, which has the name that the file had.
    records = {name.partition("/")[2] or name: archive.getinfo(name) for name in names}
    _refuse_others(file, archive, records, names)
    models = [name for name in records if re.fullmatch(r"models/[^/]+\.json", name)]
    if len(models) != 1:
        held = f"{len(models)} programs" if models else "no program"
        raise TargetError(f"{file} holds {held}, where torch.export.save writes one: {INSTEAD}")
    own = Path(models[0]).stem
    content = json.loads(archive.read(records[models[0]]))
    version, known = content["schema_version"]["major"], schema.SCHEMA_VERSION[0]
    if version != known:
        raise TargetError(
            f"{file} is of version {version} of torch.export's format, and this torch, {torch.__version__}, "
            f"reads version {known}: export it again"
        )
    for text in _texts(content, "expr_str"):
        if not EXPRESSION.fullmatch(text) or not _has_small_powers(text):
            raise TargetError(f"{file} holds a size that is no arithmetic of sizes, and is not read")
    for operator in _texts(content, "target"):
        if operator.startswith("torch.ops.") and not _is_known(operator):
            raise TargetError(
                f"{file} calls {shortened(operator)}, which nothing registers here: import the package that "
                "does, and give costlab.count the program that torch.export.load gives"
            )
    held_in = Archive(archive, records, _mapped(file))
    weights = _tensors(
        file, held_in, archive_names.WEIGHTS_CONFIG_FILENAME_FORMAT.format(own), "data/weights/"
    )
    constants = _tensors(
        file, held_in, archive_names.CONSTANTS_CONFIG_FILENAME_FORMAT.format(own), "data/constants/"
    )
    read: Any = serialize  # torch has no public function that reads records one by one
    program = read._dict_to_dataclass(schema.ExportedProgram, content)
    examples = _examples(held_in, archive_names.SAMPLE_INPUTS_FILENAME_FORMAT.format(own))
    made: ExportedProgram = serialize.ExportedProgramDeserializer().deserialize(
        program, weights, constants, examples
    )
    return made


def _refuse_others(file: Path, archive: ZipFile, records: dict[str, ZipInfo], names: list[str]) -> None:
    """Refuse archives of other kinds, and of other versions, by the names of what is in them."""
    if any(name.startswith(archive_names.AOTINDUCTOR_DIR) for name in records):
        raise TargetError(f"{file} is compiled by AOTInductor, and has no graph any more: give the program")
    kind = archive_names.ARCHIVE_FORMAT_PATH
    if kind in records and archive.read(records[kind]).decode() == archive_names.ARCHIVE_FORMAT_VALUE:
        version = archive.read(records[archive_names.ARCHIVE_VERSION_PATH]).decode().strip()
        if version != archive_names.ARCHIVE_VERSION_VALUE:
            raise TargetError(
                f"{file} is an archive of version {version[:20]}, and this torch, {torch.__version__}, reads "
                f"version {archive_names.ARCHIVE_VERSION_VALUE}: export it again"
            )
    elif "constants.pkl" in records and any(name.startswith("code/") for name in records):
        raise TargetError(
            f"{file} is a TorchScript archive: load it with torch.jit.load, and give costlab.count the module"
        )
    elif "data.pkl" in records:
        raise TargetError(
            f"{file} is what torch.save wrote, such as a state_dict, and no exported program: "
            "give the model itself"
        )
    elif "serialized_exported_program.json" in names:
        raise TargetError(
            f"{file} was written by torch 2.7 or before: export it again with torch.export.save"
        )
    else:
        raise TargetError(f"{file} is a zip archive, and no exported program")


def _texts(value: Any, key: str) -> Iterator[str]:
    """The texts under a key, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(text := value.get(key), str):
            yield text
        yield from _texts(list(value.values()), key)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, key)


def _has_small_powers(size: str) -> bool:
    """Whether a size can be computed: no power of it is large, or has another in its exponent."""
    calls = [node for node in ast.walk(ast.parse(size.strip(), mode="eval")) if isinstance(node, ast.Call)]
    exponents = [call.args[1:] for call in calls if _is_power(call)]
    parts = [[part for each in some for part in ast.walk(each)] for some in exponents]
    if any(isinstance(part, ast.Call) and _is_power(part) for some in parts for part in some):
        return False
    numbers = ([part.value for part in some if isinstance(part, ast.Constant)] for some in parts)
    return (
        prod(max((each for each in some if type(each) is int), default=1) for some in numbers) <= MOST_POWER
    )


def _is_power(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and "Pow" in call.func.id


def _is_known(operator: str) -> bool:
    """Whether torch has an operator that a node calls."""
    if operator.startswith("torch.ops.quantized_decomposed."):  # which torch registers on demand
        import_module("torch.ao.quantization.fx._decomposed")
    found: Any = torch
    for name in operator.split(".")[1:]:
        found = getattr(found, name, None)
    return found is not None


def _tensors(file: Path, archive: Archive, config: str, folder: str) -> dict[str, Tensor]:
    """The tensors that a list in the archive names; those that lie in one record share its memory."""
    read: Any = serialize
    listed = read._dict_to_dataclass(
        schema.PayloadConfig, json.loads(archive.zip.read(archive.records[config]))
    )
    flat: dict[str, Tensor] = {}
    tensors: dict[str, Tensor] = {}
    for name, held in listed.config.items():
        if held.use_pickle or held.tensor_meta is None:
            raise TargetError(f"{file}: {name} is no plain tensor, and is not unpickled: {INSTEAD}")
        facts = held.tensor_meta
        kind = serialize.deserialize_scalar_type(facts.dtype)
        if held.path_name not in flat:
            flat[held.path_name] = _flat(archive, archive.records[folder + held.path_name], kind)
        sizes, strides = serialize.deserialize_size(facts.sizes), serialize.deserialize_stride(facts.strides)
        made = flat[held.path_name]
        if made.numel():
            made = made.as_strided(sizes, strides, serialize.deserialize_storage_offset(facts.storage_offset))
        else:
            made = made.new_empty(sizes)
        tensors[name] = nn.Parameter(made, requires_grad=facts.requires_grad) if held.is_param else made
    return tensors


def _flat(archive: Archive, record: ZipInfo, kind: torch.dtype) -> Tensor:
    """The elements of a record, in the file where they lie as they are."""
    count = record.file_size // kind.itemsize
    if not count:
        return torch.empty(0, dtype=kind)
    if record.compress_type != ZIP_STORED:
        return torch.frombuffer(bytearray(archive.zip.read(record)), dtype=kind)
    start, name, extra = unpack_from("<4s22xHH", archive.mapped, record.header_offset)
    if start != LOCAL_FILE:
        raise BadZipFile
    offset = record.header_offset + LOCAL_HEADER + name + extra
    return torch.frombuffer(archive.mapped, dtype=kind, count=count, offset=offset)


def _examples(archive: Archive, record: str) -> tuple[Any, Any] | None:
    """The inputs that the program was exported with, where they are plain tensors and values."""
    if record not in archive.records:
        return None
    try:
        args, kwargs = torch.load(
            BytesIO(archive.zip.read(archive.records[record])), map_location="cpu", weights_only=True
        )
    except (BadZipFile, OSError):
        raise
    except Exception:  # objects of other classes are not made: the input has to be given
        return None
    return args, kwargs
