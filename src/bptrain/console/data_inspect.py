"""The columns of a data file as the section `data` of a config."""

from bptrain.commands.data_inspect import InspectedData, yaml_lines
from bptrain.console.terminal.screen import Screen


def show_data(screen: Screen, found: InspectedData) -> None:
    """The section on stdout, as it is; what was decided about how the file is written on stderr."""
    for note in found.profile.notes:
        screen.note(note)
    screen.text("\n".join(yaml_lines(found)))
