import { baseTemplate, type BaseInput } from './templates/base-template.ts'
import { rackTemplate, type RackInput } from './templates/rack-template.ts'
import type { Template } from './templates/template.ts'

/** What is chosen of a rack in an account when it is installed. */
export type InstallationInput = BaseInput & RackInput

export const baseStackName = (rack: string): string => `rack-${rack}-base`
export const rackStackName = (rack: string): string => `rack-${rack}`

/** The stacks of an installation, in the order in which they are made. Pure. */
export function installationStacks(input: InstallationInput): { name: string; template: Template }[] {
  return [
    { name: baseStackName(input.rack), template: baseTemplate(input) },
    { name: rackStackName(input.rack), template: rackTemplate(input) },
  ]
}
