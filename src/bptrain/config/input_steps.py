"""The section `network.input`: steps between the inputs and the first layer, trained with the network."""

from typing import Annotated

from pydantic import Field

from bptrain.config import forms, part
from bptrain.config.part import PartConfig
from bptrain.config.section import Section
from bptrain.parts.input_steps import embeddings

Embedding = Annotated[PartConfig, part.part(embeddings), forms.part_of("embedding")]


class InputConfig(Section):
    """Steps between the inputs and the first layer, trained with the network."""

    embed: Embedding | None = Field(
        default=None, description="columns beside each number, made of it by trained functions"
    )
