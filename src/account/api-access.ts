import { X509Certificate } from 'node:crypto'
import type { AwsClients } from '../aws/clients.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { findRack } from './find-rack.ts'
import type { InstallationAccount } from './installation-account.ts'
import { findStacks } from './make-stacks.ts'
import { daemonName } from './templates/inside.ts'

/** What leads to the API of a rack whose daemon runs in its account. */
export interface ApiAccess {
  /** Of the account. */
  id: string
  region: string
  /** Its name there. */
  rack: string
  /** By which name the API is asked for. */
  apiHost: string
  /** The address of the load balancer that leads there. */
  balancer: string
  /** Of ACM, what it shows by TLS. */
  certificateArn: string
  /** That, PEM; the fingerprint is its SHA-256, `AB:CD:…`. */
  certificate: string
  fingerprint: string
  bucket: string
  /** Of the daemon. */
  cluster: string
  service: string
}

type Account = InstallationAccount & { clients: Pick<AwsClients, 'objects' | 'certificates'> }

/**
 * Asks the account where a rack's API is, and what it shows: by whoever may read the stacks and the certificate.
 * @throws not-found where the Region has no such rack; conflict where its daemon runs elsewhere, or is not there yet
 */
export async function readApiAccess(
  account: Account,
  rack: string,
  control: Pick<Control, 'signal'>,
): Promise<ApiAccess> {
  const stacks = await findStacks(account, rack, { signal: control.signal, report: () => undefined })
  if (!stacks) {
    throw new RackError('not-found', `this Region of the account has no rack "${rack}"`, {
      hint: `It is called as at its install. What is left of one goes by: rack uninstall --region REGION --rack ${rack}`,
    })
  }
  const { base, rack: own } = stacks
  const [arn, service, apiHost] = ['ApiCertificate', 'DaemonService', 'ApiHost'].map((name) => own[name])
  if (!arn || !apiHost) throw await daemonElsewhere(account, rack, control)
  // One whose service is made anew has none for as long as that takes.
  if (!service && !(await findRack(account, rack, control))?.mark) throw unfinished(rack)
  const { Certificate = '' } = await account.clients.certificates.getCertificate(
    { CertificateArn: arn },
    { abortSignal: control.signal },
  )
  const certificate = new X509Certificate(Certificate)
  return {
    id: base['Account']!,
    region: base['Region']!,
    rack,
    apiHost,
    balancer: own['BalancerHost']!,
    certificateArn: arn,
    certificate: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    bucket: base['Bucket']!,
    cluster: own['Cluster']!,
    service: service ?? daemonName(rack),
  }
}

async function daemonElsewhere(
  account: Account,
  rack: string,
  control: Pick<Control, 'signal'>,
): Promise<RackError> {
  const mark = (await findRack(account, rack, control))?.mark
  if (mark && !mark.inside) {
    return new RackError('conflict', `the daemon of ${rack} runs on ${mark.host}, and not in the account`, {
      hint: `There: rack login --dir ${mark.directory}; from elsewhere: rack login ssh://${mark.host}`,
    })
  }
  return unfinished(rack)
}

function unfinished(rack: string): RackError {
  return new RackError('conflict', `the install of ${rack} has not come to its end`, {
    hint: 'Go on with it by typing the same install again',
  })
}
