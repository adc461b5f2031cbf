import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { isAwsError } from '../aws/errors.ts'
import type { InstallationAccount } from './installation-account.ts'
import { baseStackName, type InstallationInput } from './installation-stacks.ts'
import type { Template } from './templates/template.ts'

/** What an install was told of a rack: all but its images, which each version makes anew. Holds no secret. */
export type Chosen = Omit<InstallationInput, 'images'>

/** A template that keeps what was chosen beside what it makes: they are changed, and taken back, together. Pure. */
export function withChosen(template: Template, { images: _made, ...chosen }: InstallationInput): object {
  return { ...template, Metadata: { Rack: { version: 1, chosen } } }
}

/**
 * What was chosen of a rack that stands.
 * @throws not-found where it has no base; conflict where that is of a version which did not keep it; unsupported of a later one
 */
export async function readChosen(
  { clients: { stacks } }: Pick<InstallationAccount, 'clients'>,
  rack: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<Chosen> {
  const StackName = baseStackName(rack)
  const { TemplateBody = '{}' } = await stacks
    .getTemplate({ StackName }, { abortSignal: signal })
    .catch((error: unknown) => {
      if (!isAwsError(error, 'ValidationError')) throw error
      throw new RackError('not-found', `there is no stack ${StackName} in this Region of the account`, {
        hint: `Is the Region as it was? aws cloudformation describe-stacks --stack-name ${StackName}`,
        cause: error,
      })
    })
  const { Metadata } = JSON.parse(TemplateBody) as {
    Metadata?: { Rack?: { version: number; chosen: Chosen } }
  }
  const kept = Metadata?.Rack
  if (kept?.version === 1) return kept.chosen
  if (kept) {
    throw new RackError('unsupported', `the stack ${StackName} was made by a later version of Rack`, {
      hint: 'Type it with that version, or a later one.',
    })
  }
  throw new RackError(
    'conflict',
    `the stack ${StackName} was made by a version of Rack that did not keep what was chosen of it: it stays as it is`,
    {
      hint: 'Its daemon and its apps go on as they are. To have stacks of this version: take the rack away, and install it again',
    },
  )
}
