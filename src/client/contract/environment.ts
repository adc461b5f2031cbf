import * as z from 'zod'
import { environmentLayers } from '../../domain/environment.ts'
import { paths } from '../paths.ts'
import { appParams, op } from './op.ts'
import { nameChanges, release } from './releases.ts'

const environment = z.record(z.string(), z.string())
const layer = z.enum(environmentLayers)

/** The environment. Whoever may read values may also change them. */
export const environmentOperations = {
  getEnvironment: op({
    ...paths.getEnvironment,
    summary: "The app's environment with its values, of the newest release unless one is named.",
    params: appParams,
    query: z.strictObject({ release: z.string().optional() }),
    reply: environment,
  }),
  changeEnvironment: op({
    ...paths.changeEnvironment,
    summary: 'Set and unset variables: makes a release.',
    params: appParams,
    body: z.strictObject({ set: environment.default({}), unset: z.array(z.string()).default([]) }),
    reply: release,
  }),
  replaceEnvironment: op({
    ...paths.replaceEnvironment,
    summary: 'Replace all variables: makes a release.',
    params: appParams,
    body: environment,
    reply: release,
  }),
  diffEnvironment: op({
    ...paths.diffEnvironment,
    summary: 'Names that differ between the environments of two releases.',
    params: appParams,
    query: z.strictObject({ from: z.string(), to: z.string() }),
    reply: nameChanges,
  }),
  processEnvironment: op({
    ...paths.processEnvironment,
    summary: 'The final variables of a process type, and where each came from.',
    params: z.object({ app: z.string(), process: z.string() }),
    reply: z.array(z.object({ name: z.string(), value: z.string(), from: layer, shadows: z.array(layer) })),
  }),
}
