import dockerignore from '@balena/dockerignore'

/** The rules of one `.dockerignore`, as Docker reads them. */
export interface DockerIgnore {
  /** Whether the context leaves this path out; relative to the context, with `/`. */
  ignores(path: string): boolean
  /** Whether nothing below this directory can be part of the context, so that a walker need not look. */
  ignoresAllBelow(directory: string): boolean
}

/**
 * Reads the text of a `.dockerignore`; an empty one ignores nothing. The Dockerfile and the `.dockerignore` itself are
 * needed to build whatever these rules say: see `alwaysSent`.
 *
 * @throws SyntaxError for a pattern that Docker could not read either, such as `[z-a]`
 */
export function parseDockerIgnore(text: string): DockerIgnore {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
  const exceptions = lines.map((line) => line.trim()).filter((line) => line.startsWith('!'))
  const rules = dockerignore.default({ ignorecase: false }).add(lines.map(takeLiterally))
  // Patterns are compiled at their first use: a bad one is to be known now.
  rules.ignores('any')
  const ignores = (path: string) => rules.ignores(path)
  return {
    ignores,
    ignoresAllBelow: (directory) =>
      ignores(directory) && !exceptions.some((exception) => mayMatchBelow(directory, exception)),
  }
}

/** Where the rules of a Dockerfile are looked for, the first one found counts; relative to the context. */
export function dockerIgnorePaths(dockerfile: string): string[] {
  return [`${dockerfile}.dockerignore`, '.dockerignore']
}

/** Paths that a build needs even when they are ignored; relative to the context. */
export function alwaysSent(dockerfile: string): string[] {
  return [dockerfile, ...dockerIgnorePaths(dockerfile)]
}

/** The library hands these to a regular expression as they are; to Docker they are letters like any other. */
function takeLiterally(pattern: string): string {
  return pattern.replaceAll(/\\.|[+(){}|]/g, (found) => (found.startsWith('\\') ? found : `\\${found}`))
}

function mayMatchBelow(directory: string, exception: string): boolean {
  const pattern = exception
    .slice(1)
    .trim()
    .replace(/^\.?\/+/, '')
  const fixed = pattern.slice(0, /[*?[\\]/.exec(pattern)?.index ?? pattern.length)
  return fixed.startsWith(`${directory}/`) || (fixed !== pattern && `${directory}/`.startsWith(fixed))
}
