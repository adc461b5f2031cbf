/** What an uninstall has left in the account. */
export interface KeptResource {
  /** As CloudFormation calls it. */
  type: string
  id: string
}

/** A line for each: what it is, and what takes it away. */
export function describeKept(kept: readonly KeptResource[], region: string, isKeyGoing: boolean): string[] {
  return kept.map(({ type, id }) => {
    switch (type) {
      case 'AWS::S3::Bucket':
        return `the bucket ${id}: aws s3 rb s3://${id} --force --region ${region}`
      case 'AWS::EFS::FileSystem':
        return `the file system ${id}: aws efs delete-file-system --file-system-id ${id} --region ${region}`
      case 'AWS::KMS::Key':
        return isKeyGoing
          ? `the key ${id}, which AWS deletes in 30 days`
          : `the key ${id}, without which none of these can be read: aws kms schedule-key-deletion --key-id ${id} --region ${region}`
      case 'AWS::RDS::DBSnapshot':
        return `a snapshot of the store ${id}: aws rds delete-db-snapshot --db-snapshot-identifier ${id} --region ${region}`
      case 'AWS::SecretsManager::Secret':
        return `the key of the store ${id}, without which its snapshot and what services were backed up to the bucket open nothing that is sealed: aws secretsmanager delete-secret --secret-id ${id} --force-delete-without-recovery --region ${region}`
      default:
        return `${type} ${id}`
    }
  })
}
