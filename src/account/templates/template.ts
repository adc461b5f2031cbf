import { rackTag } from '../../aws/own-stack.ts'

/** A template of CloudFormation as it is sent: JSON. */
export interface Template {
  Description: string
  Parameters?: Record<string, { Type: 'String'; Description?: string }>
  Resources: Record<string, TemplateResource>
  Outputs: Record<string, { Value: unknown }>
}

export interface TemplateResource {
  Type: string
  Properties: Record<string, unknown>
  DependsOn?: string | string[]
  /** What holds data stays when its stack goes, unless the stack never came to be; a database leaves a last snapshot. */
  DeletionPolicy?: 'RetainExceptOnCreate' | 'Snapshot' | 'Delete'
  UpdateReplacePolicy?: 'Retain' | 'Snapshot'
}

export type Resources = Record<string, TemplateResource>

export const ref = (name: string) => ({ Ref: name })
export const att = (name: string, attribute: string) => ({ 'Fn::GetAtt': [name, attribute] })
export const sub = (text: string) => ({ 'Fn::Sub': text })

export const allow = (actions: string | string[], resources: unknown, more: object = {}) => ({
  Effect: 'Allow',
  Action: actions,
  Resource: resources,
  ...more,
})

export const policy = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements })

/** Says what something is that no stack has made. */
export const kindTag = 'rack:kind'

/** Tags of all that an installation makes; `Name` is what the account's pages call it by. */
export function tagsOf(rack: string, name?: string): { Key: string; Value: string }[] {
  const own = { Key: rackTag, Value: rack }
  return name === undefined ? [own] : [own, { Key: 'Name', Value: `rack-${rack}-${name}` }]
}
