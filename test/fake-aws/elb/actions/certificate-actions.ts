import type {
  AddListenerCertificatesInput,
  DescribeListenerCertificatesInput,
  RemoveListenerCertificatesInput,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { AwsError, type Action } from '../../fake-service.ts'
import { assertCertificate, listenerOf } from './listener-actions.ts'
import { pageOf } from './page.ts'
import type { ElbState } from '../state.ts'

/** Certificates of a balancer, default ones not counted (D). */
const mostCertificates = 25

/** What listeners show by the name that clients ask for, besides their default certificate. */
export function certificateActions(state: ElbState): Record<string, Action> {
  return {
    // A repeat changes nothing (D).
    AddListenerCertificates: async ({ ListenerArn, Certificates = [] }: AddListenerCertificatesInput) => {
      const listener = secureListener(state, ListenerArn!)
      for (const { CertificateArn: arn = '' } of Certificates) {
        assertCertificate(state, arn)
        if (listener.certificates.includes(arn)) continue
        if (furtherOf(state, listener) >= mostCertificates)
          throw new AwsError(
            'TooManyCertificatesException',
            `A load balancer can have ${mostCertificates} certificates`,
          )
        listener.certificates.push(arn)
      }
      return {
        Certificates: Certificates.map(({ CertificateArn }) => ({ CertificateArn, IsDefault: false })),
      }
    },
    RemoveListenerCertificates: async ({
      ListenerArn,
      Certificates = [],
    }: RemoveListenerCertificatesInput) => {
      const listener = secureListener(state, ListenerArn!)
      for (const { CertificateArn: arn } of Certificates) {
        if (listener.certificates[0] === arn)
          throw new AwsError(
            'OperationNotPermittedException',
            'The default certificate of a listener cannot be removed',
          )
        listener.certificates = listener.certificates.filter((each) => each !== arn)
      }
      return {}
    },
    DescribeListenerCertificates: async (input: DescribeListenerCertificatesInput) => {
      const { certificates } = secureListener(state, input.ListenerArn!)
      const all = certificates.map((arn, index) => ({ arn, serial: index + 1 }))
      const { page, ...marker } = pageOf(all, input)
      const told = page.map(({ arn, serial }) => ({ CertificateArn: arn, IsDefault: serial === 1 }))
      return { Certificates: told, ...marker }
    },
  }
}

function secureListener(state: ElbState, arn: string) {
  const listener = listenerOf(state, arn)
  if (listener.certificates.length > 0) return listener
  throw new AwsError('ValidationError', `The listener '${arn}' shows no certificates`)
}

function furtherOf(state: ElbState, { balancer }: { balancer: object }): number {
  const own = [...state.listeners.values()].filter((listener) => listener.balancer === balancer)
  return own.reduce((sum, { certificates }) => sum + Math.max(0, certificates.length - 1), 0)
}
