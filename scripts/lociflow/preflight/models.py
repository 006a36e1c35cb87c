"""Whether every model of a run can be built, and takes the windows that it will get, before any data are made."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lociflow import variants
from lociflow.command import UserError
from lociflow.config import Configuration, canonical
from lociflow.data.dataset import Sample
from lociflow.data.views import VIEWS
from lociflow.genome.split_schemes import split_schemes
from lociflow.instantiate import instantiate
from lociflow.layout import split_label
from lociflow.models.checkpoint import build_model
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.preflight.outputs import control_shape, expected_outputs, guessed, other_strand
from lociflow.preflight.recipes import check_settings, try_recipe
from lociflow.run import check_trainable
from lociflow.sequence.alphabet import Alphabet, find_alphabet
from lociflow.training.checks import check_strands, why_strands
from lociflow.training.objectives import Objective
from lociflow.training.transfer import (
    Transfer,
    check_alphabet,
    check_answers,
    matching_weights,
    read_transfer,
)
from lociflow.trainings import origin, resolve, target_names

# Windows that pass through a model: of a single one, normalisation over the batch has no variance.
BATCH = 2
# What is said of errors that are not ours.
NOT_PASSING = (
    "model.architecture: a window does not pass through it ({error}); correct its arguments, or model.input_length"
)
NOT_MADE = "training: its optimizer, schedule or loss cannot be made ({error}); correct their arguments"
# Parts of what torch says where the memory does not suffice.
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")
# Other trainings of a wrong model that a message names.
NAMED = 3


class Training(NamedTuple):
    """What decides whether a training can begin."""

    dataset: str
    label: str
    """MODEL, or MODEL+VARIANT."""
    model: Mapping[str, Any]
    """The resolved configuration's ``model``."""
    outputs: Outputs
    alphabet: Alphabet
    control: tuple[int, ...] | None
    """Shape of the control experiment's values for one bin; None where there is none."""
    strand: str | None
    """Why a model must tell strands apart, for a message; None: it need not."""
    recipe: Mapping[str, Any]
    """The resolved configuration's ``training``."""
    transfer: Transfer
    origin: tuple[str, str] | None
    """Data set and label of the training whose weights this one starts from."""

    @property
    def key(self) -> str:
        """Tell apart what has other layers, inputs or outputs; names and recipes do not count."""
        model = {key: value for key, value in self.model.items() if key != "name"}
        outputs = (self.outputs.kind, len(self.outputs.columns), self.outputs.positions)
        return canonical([model, outputs, self.alphabet.name, self.control, self.strand, self.objective])

    @property
    def objective(self) -> Mapping[str, Any] | None:
        """What a training without labels minimises."""
        found: Mapping[str, Any] | None = self.recipe.get("objective")
        return found


def check_models(
    run: Mapping[str, Any], groups: Configuration, trainings: Iterable[tuple[str, str]], conda: bool = False
) -> list[Finding]:
    """Build the model of every training on the CPU, pass windows of random sequence through it, and compare transfers.

    What several trainings have in common is tried once. Numbers of targets and classes that only the data tell are
    guessed; whether an origin has seen the present test windows only training can say.

    Parameters
    ----------
    run
        The configuration of the run.
    groups
        Where data sets and models are defined.
    trainings
        Data set and label of each; those that they start from are looked at too. The best trial of a search is not: it
        is one of those that are trained.
    conda
        Whether steps have environments of their own, so that a library which is missing here may be there.

    Returns
    -------
    list
        An error for each model that its training would refuse; else one finding that says how many were tried.
    """
    read = _read_all(run, groups, trainings)
    findings = [told for told in read.values() if isinstance(told, Finding)]
    found = {place: training for place, training in read.items() if isinstance(training, Training)}

    alike: dict[str, list[Training]] = {}
    for training in found.values():
        alike.setdefault(training.key, []).append(training)
    wrong: set[str] = set()
    for key, same in alike.items():
        model, told = _tried(partial(try_model, same[0]), conda)
        if told:
            wrong.add(key)
            findings.append(_finding(run, groups, same, told))
            continue
        recipes: dict[str, list[Training]] = {}
        for training in same:
            recipes.setdefault(canonical([training.recipe, training.outputs]), []).append(training)
        for trained in recipes.values():
            first = trained[0]
            frozen = first.transfer.freeze if first.origin else ()
            _, told = _tried(partial(try_recipe, first.recipe, first.outputs, model, frozen), conda, NOT_MADE)
            if told:
                findings.append(_finding(run, groups, trained, told))

    transfers: dict[str, list[Training]] = {}
    for training in found.values():
        source = found.get(training.origin) if training.origin else None
        if source and not {source.key, training.key} & wrong:
            transfers.setdefault(
                canonical([training.key, source.key, training.transfer, training.outputs, source.outputs]), []
            ).append(training)
    for same in transfers.values():
        if same[0].origin:
            _, told = _tried(partial(try_transfer, same[0], found[same[0].origin]), conda)
            if told:
                findings.append(_finding(run, groups, same, told))

    if findings:
        return findings
    compared = f"; transfers compared: {len(transfers)}" if transfers else ""
    told_of_all = f"architectures: {len(alike)} in {len(found)} trainings, a window passed through each{compared}"
    return [Finding("models", OK, told_of_all)]


def _read_all(
    run: Mapping[str, Any], groups: Configuration, trainings: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Training | Finding]:
    """Read trainings and those that they start from: each by data set and label, or what is wrong with it."""
    read: dict[tuple[str, str], Training | Finding] = {}
    chosen, asked = variants.chosen(run), list(trainings)
    while asked:
        dataset, label = asked.pop(0)
        if (dataset, label) in read or label in chosen:
            continue
        try:
            training = read_training(run, groups, dataset, label)
        except UserError as error:
            told = f"{_where(run, groups, dataset, label)}: {str(error).removeprefix(f'dataset {dataset}: ')}"
            read[dataset, label] = Finding(f"model {label}", ERROR, told)
            continue
        read[dataset, label] = training
        if training.origin:
            asked.append(training.origin)
    return read


def read_training(run: Mapping[str, Any], groups: Configuration, dataset: str, label: str) -> Training:
    """Resolve a training as far as its model and what it starts from are concerned.

    Raises
    ------
    UserError
        The model is not for the data set's labels or windows, a name in it does not exist, or its recipe does not
        suit them.
    """
    config = groups.dataset(dataset)
    resolved = resolve(run, groups, dataset, label)["training"]
    model, recipe = resolved["model"], resolved["training"]
    length = model["input_length"]
    if not isinstance(length, int) or length < 1:
        raise UserError(f"model.input_length: found {length!r}, expected a whole number of at least 1")
    check_trainable(config, length, recipe["jitter"])
    outputs = expected_outputs(config, groups, recipe)
    alphabet = find_alphabet((config.get("sequences") or {}).get("alphabet") or "dna")
    check_settings(recipe, model, config, outputs, alphabet)
    begun = origin(groups, dataset, next(iter(split_schemes(config))), 0, recipe)
    return Training(
        dataset,
        label,
        model,
        outputs,
        alphabet,
        control_shape(config, groups),
        why_strands(
            bool(config["windows"].get("stranded")) or alphabet.complement is None,
            other_strand(config, recipe.get("targets")),
        ),
        recipe,
        read_transfer(recipe.get("transfer") or {}),
        (begun.dataset, begun.model) if begun else None,
    )


def try_model(training: Training) -> nn.Module:
    """Build a model, pass windows of random sequence through it, and return it.

    Raises
    ------
    UserError
        A view does not exist, the outputs are not those that the labels ask for, or the model cannot tell strands
        apart where windows have one.
    Exception
        Whatever the architecture raises.
    """
    views = stand_in_views(training)
    model = _built(training)
    with torch.no_grad():
        if training.objective:
            _objective(training.objective).loss(model, _unlabelled(views))
        else:
            check_outputs(model(views), training)
    if training.strand and not (training.objective or training.outputs.positions):
        given, letters = training.model, len(training.alphabet.channels)
        check_strands(model, given["name"], given["views"], given["input_length"], letters, training.strand)
    return model


def try_transfer(training: Training, source: Training) -> None:
    """Build a model and the one that it starts from, and see whether the weights fit.

    Raises
    ------
    UserError
        They do not, or a part to skip does not exist.
    """
    where = f"training.transfer: {source.label} on {source.dataset}"
    check_alphabet(source.alphabet, training.alphabet, where)
    model = _built(training)
    # The width of a head of which only the data tell the outputs is no fact yet.
    unknown = guessed(training.outputs, source.outputs) and hasattr(model, "head")
    skip = [*training.transfer.skip, *(["head"] if unknown else [])]
    matching_weights(model, _built(source), where, skip)
    check_answers(model, skip, source.outputs, training.outputs, where)


def stand_in_views(training: Training) -> dict[str, Tensor]:
    """Return a batch of windows of random sequence, one view for each that the model reads.

    Raises
    ------
    UserError
        There is no such view, or the data set does not have it.
    """
    length, letters = training.model["input_length"], len(training.alphabet.channels)
    known = {
        "sequence": nn.functional.one_hot(torch.randint(letters, (BATCH, length)), letters).float().transpose(1, 2),
        "mask": torch.ones(BATCH, length, dtype=torch.bool),
        **({} if training.control is None else {"control": torch.zeros(BATCH, *training.control)}),
    }
    for name in training.model["views"]:
        if name not in VIEWS:
            raise UserError(f"model.views: found {name!r}, expected {', '.join(VIEWS)}; correct the model's file")
        if name == "control" and name not in known:
            raise UserError(
                "model.views: found control, which this data set does not have; give it targets.signal.control, or "
                "choose a model without this view"
            )
    return {name: known[name] for name in training.model["views"]}


def check_outputs(found: Any, training: Training) -> None:
    """Refuse a model whose outputs have not the shape of the labels.

    Raises
    ------
    UserError
        See above.
    """
    outputs, columns = training.outputs, len(training.outputs.columns)
    whole = (BATCH, outputs.positions, columns) if outputs.positions else (BATCH, columns)
    if outputs.kind == "profile":
        fits = isinstance(found, ProfileOutput) and (
            tuple(found.profile.shape) == whole and tuple(found.counts.shape) == (BATCH, columns)
        )
        expected = f"a ProfileOutput of shapes {whole} and {(BATCH, columns)}"
    else:
        fits = isinstance(found, Tensor) and tuple(found.shape) == whole
        expected = f"a tensor of shape {whole}"
    if not fits:
        shape = f" of shape {tuple(found.shape)}" if isinstance(found, Tensor) else ""
        raise UserError(
            f"model.architecture: {training.model['architecture']['_target_']} gives {type(found).__name__}{shape} for "
            f"{BATCH} windows, expected {expected}; correct its forward"
        )


def _built(training: Training) -> nn.Module:
    return build_model(training.model, training.outputs, len(training.alphabet.channels))


def _objective(config: Mapping[str, Any]) -> Objective:
    found: Objective = instantiate(config)
    return found


def _unlabelled(views: dict[str, Tensor]) -> Sample:
    nothing = torch.zeros(BATCH, 0)
    return Sample(views, nothing, nothing.bool(), torch.arange(BATCH))


def _tried(check: Callable[[], Any], conda: bool, wrong: str = NOT_PASSING) -> tuple[Any, tuple[str, str] | None]:
    """Return what a check returns, and None; or None, and the verdict on what it raises with a sentence about it.

    ``wrong`` is that sentence for what is no :class:`~lociflow.command.UserError`.
    """
    try:
        # What torch warns of it does again in training.
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings(action="ignore"):
            torch.manual_seed(0)
            return check(), None
    # An architecture of a user's own may raise anything.
    except Exception as error:
        if conda and (library := _missing_library(error)):
            told = f"not tried, there is no module {library} here; its step has an environment of its own"
            return None, (WARN, told)
        if isinstance(error, UserError):
            return None, (ERROR, str(error))
        cause = error.__cause__ or error
        text = " ".join(str(cause).split()) or "nothing said"
        if isinstance(cause, MemoryError) or any(part in text for part in OUT_OF_MEMORY):
            return None, (WARN, f"not tried, this machine's memory does not suffice for it ({text[:200]})")
        return None, (ERROR, wrong.format(error=f"{type(cause).__name__}: {text[:300]}"))


def _missing_library(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("lociflow"):
            return error.name
        error = error.__cause__ or error.__context__
    return None


def _finding(
    run: Mapping[str, Any], groups: Configuration, same: list[Training], verdict_and_told: tuple[str, str]
) -> Finding:
    verdict, told = verdict_and_told
    first, others = same[0], [f"{one.label} on {one.dataset}" for one in same[1:]]
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    also = f" (likewise {', '.join(others[:NAMED])}{more})" if others else ""
    return Finding(f"model {first.label}", verdict, f"{_where(run, groups, first.dataset, first.label)}{also}: {told}")


def _where(run: Mapping[str, Any], groups: Configuration, dataset: str, label: str) -> str:
    """Name a model's file, what the run overrides of it and of its training, and the data set."""
    name, _ = split_label(label)
    changed = variants.overrides(run, label, target_names(dataset, groups))
    told = f" with {', '.join(changed)}" if changed else ""
    return f"{groups.names('model')[name]}{told}, on dataset {dataset}"
