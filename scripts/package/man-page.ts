import { nouns } from '../../src/cli/nouns.ts'

/** The manual page `rack(1)`: the commands by their groups; each one's own help has its options and examples. */
export function manPage(version: string): string {
  const shown = nouns.filter(({ isHidden }) => !isHidden)
  const groups = [...new Set(shown.map(({ group }) => group))]
  const lines = groups.flatMap((group) => [
    `.SS ${escaped(group)}`,
    ...shown
      .filter((noun) => noun.group === group)
      .flatMap(({ name, summary }) => ['.TP', `.B rack ${escaped(name)}`, escaped(summary)]),
  ])
  return `${[
    `.TH RACK 1 "" "rack ${escaped(version)}" "User Commands"`,
    '.SH NAME',
    String.raw`rack \- run a docker\-compose.yml in production`,
    '.SH SYNOPSIS',
    '.B rack',
    String.raw`\fICOMMAND\fR [\fIARGUMENTS\fR] [\fB\-\-json\fR]`,
    '.SH DESCRIPTION',
    'A rack is an installation on one machine: a set amount of cpu and memory that the processes of many apps share,',
    'behind a router. An app is made from a directory with a docker\\-compose.yml.',
    '.PP',
    String.raw`\fBrack help\fR \fICOMMAND\fR tells of a command's options, and gives examples.`,
    '.SH COMMANDS',
    ...lines,
    '.SH FILES',
    '.TP',
    '.I /var/lib/rack/NAME',
    'A rack that root has installed.',
    '.TP',
    '.I ~/.config/rack/racks.json',
    'The racks that this command line knows, with their tokens.',
  ].join('\n')}\n`
}

/** A dash is a minus in what one types, and a line that begins with a dot is a request. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
