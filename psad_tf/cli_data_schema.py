"""`psad data schema`: the raw contract of a data set of one's own."""

from psad_tf.cli_options import check_dataset


def add_schema(commands) -> None:
    """Adds the command to the group `data`."""
    parser = commands.add_parser(
        "schema", help="print the schema that follows from a data set's features"
    )
    parser.add_argument("--dataset", required=True, help="which data set")
    parser.set_defaults(run=_schema)


def _schema(parsed) -> int:
    from psad_tf.schema_text import schema_text

    print(schema_text(check_dataset(parsed)), end="")
    return 0
