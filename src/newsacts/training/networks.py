"""Making the network that a config asks for: base weights, kept layers, frozen parts, LoRA; and what is left after."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import AutoConfig, AutoModel

from newsacts.backends.network import SentenceNetwork, hush_transformers, without_pooler
from newsacts.base_models import BaseModel
from newsacts.errors import ConfigError, ModelError
from newsacts.training.config import LoraSection, TrainingConfig

_CONFIG_KEYS_OF_A_MACHINE = ("_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures")


def prepare_network(config: TrainingConfig, base: BaseModel) -> SentenceNetwork:
    """A network with the base's weights and a fresh head. Raises `ModelError` for an unreadable base."""
    section = config.model
    encoder = _load_encoder(base)
    limit = getattr(encoder.config, "max_position_embeddings", section.max_tokens)
    if section.max_tokens > limit:
        raise ConfigError(f"model.max_tokens is {section.max_tokens}, and {base.source} reads at most {limit} tokens")
    if section.layers is not None:
        _keep_layers(encoder, section.layers)
    if section.freeze_embeddings:
        encoder.get_input_embeddings().weight.requires_grad = False
        for name, parameter in encoder.named_parameters():
            if name.startswith("embeddings."):
                parameter.requires_grad = False
    if section.freeze_layers:
        _freeze_layers(encoder, section.freeze_layers)
    hidden = int(encoder.config.hidden_size)
    body: nn.Module = encoder if section.lora is None else _add_lora(encoder, section.lora, section.freeze_layers)
    return SentenceNetwork(
        body, hidden=hidden, labels=len(config.scheme.names), pooling=section.pooling, dropout=section.dropout
    )


def merge_adapter(network: SentenceNetwork) -> SentenceNetwork:
    """The same network with a LoRA, if there is one, added into the weights it adapts."""
    if isinstance(network.encoder, PeftModel):
        network.encoder = network.encoder.merge_and_unload()
    return network


def describe_encoder(network: SentenceNetwork) -> dict[str, Any]:
    """The encoder's configuration without what only says where it was made."""
    encoder: Any = network.encoder
    config: dict[str, Any] = encoder.config.to_dict()
    return {name: value for name, value in config.items() if name not in _CONFIG_KEYS_OF_A_MACHINE}


def _load_encoder(base: BaseModel) -> Any:
    folder = Path(base.folder)
    try:
        with hush_transformers():
            kind = AutoConfig.from_pretrained(folder, trust_remote_code=False).model_type
            return AutoModel.from_pretrained(
                folder, trust_remote_code=False, use_safetensors=True, local_files_only=True, **without_pooler(kind)
            )
    except (OSError, ValueError) as error:
        raise ModelError(f"base model {base.source!r} cannot be opened by transformers: {error}") from error


def _keep_layers(encoder: Any, kept: Sequence[int]) -> None:
    layers = _list_layers(encoder, "model.layers")
    if kept[-1] >= len(layers):
        raise ConfigError(
            f"model.layers is {list(kept)}, and {type(encoder).__name__} has {len(layers)} layers; expected numbers "
            f"from 0 to {len(layers) - 1}"
        )
    encoder.encoder.layer = nn.ModuleList([layers[number] for number in kept])
    encoder.config.num_hidden_layers = len(kept)


def _freeze_layers(encoder: Any, count: int) -> None:
    layers = _list_layers(encoder, "model.freeze_layers")
    if count > len(layers):
        raise ConfigError(f"model.freeze_layers is {count}, and {type(encoder).__name__} has {len(layers)} layers")
    for layer in layers[:count]:
        layer.requires_grad_(requires_grad=False)


def _list_layers(encoder: Any, key: str) -> nn.ModuleList:
    layers: nn.ModuleList | None = getattr(getattr(encoder, "encoder", None), "layer", None)
    if layers is None:
        raise ConfigError(
            f"{key} needs an encoder built like BERT, got {type(encoder).__name__}; leave {key} out, or choose "
            "another model.base"
        )
    return layers


def _add_lora(encoder: Any, section: LoraSection, frozen: int) -> PeftModel:
    free = None
    if frozen:
        free = list(range(frozen, len(_list_layers(encoder, "model.freeze_layers"))))
        if not free:
            raise ConfigError(f"model.freeze_layers is {frozen}, which leaves model.lora no layer; freeze fewer layers")
    adapter = LoraConfig(
        r=section.rank,
        lora_alpha=section.alpha,
        lora_dropout=section.dropout,
        target_modules=list(section.targets),
        layers_to_transform=free,
        layers_pattern=None if free is None else "layer",
    )
    with warnings.catch_warnings():
        # peft still asks transformers by a name that transformers renamed.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
        try:
            adapted: PeftModel = get_peft_model(encoder, adapter)
        except ValueError as error:
            raise ConfigError(f"model.lora: {error}") from error
    return adapted
