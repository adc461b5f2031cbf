import type { BuildSpec } from '../../src/domain/manifest.ts'

/** The build of a Dockerfile at the root of the source; tests name what they are about. */
export function buildSpec(overrides: Partial<BuildSpec> = {}): BuildSpec {
  return {
    context: '.',
    dockerfile: 'Dockerfile',
    target: null,
    inline: null,
    network: null,
    extraHosts: [],
    labels: {},
    args: {},
    ...overrides,
  }
}
