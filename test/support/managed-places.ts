/** Of an account in which stacks of services are made. */
export const managedPlaces = {
  vpc: 'vpc-0123456789abcdef0',
  subnets: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  securityGroups: {
    processes: 'sg-0123456789abcdef0',
    balancers: 'sg-0123456789abcdef1',
    daemon: 'sg-0123456789abcdef2',
    ports: 'sg-0123456789abcdef3',
    web: 'sg-0123456789abcdef4',
  },
  key: 'arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012',
}
