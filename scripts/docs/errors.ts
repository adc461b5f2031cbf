import { errorCodes } from '../../src/domain/error.ts'

/** `docs/errors.md`, from the table of codes. */
export function renderErrors(): string {
  const rows = Object.entries(errorCodes)
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([code, { status, exit, meaning }]) => `| \`${code}\` | ${status} | ${exit} | ${meaning} |`)
  return [
    '# Errors',
    '',
    'Every way Rack says no. The API answers with the status and a problem (`application/problem+json`) that holds the',
    'code, a hint and the id of the request; the CLI prints the same and ends with the exit code.',
    '',
    'This page is generated from `src/domain/error.ts`: `npm run docs`.',
    '',
    '| code | status | exit code | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
