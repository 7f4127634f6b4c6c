/** Resources as every client takes them, and the reasons for which one would not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Instance, Status } from '../domain.ts';
import { assignmentProblem, clusterProblem, listenerProblem } from './resource-rules.ts';
import { answerable, assignment, cluster, filters, routes } from './resources.ts';

function instance(port: number, more: Partial<Instance> = {}): Instance {
  const place = { service: 'product', instanceId: `product-${port}`, address: '127.0.0.1', port };
  return { ...place, zone: '', weight: 1, metadata: {}, status: 'UP', ...more };
}

/** Localities as "zone/sub_zone weight: endpoints". */
function shape(instances: Instance[]): string[] {
  const { endpoints = [] } = assignment('product', instances);
  return endpoints.map(({ locality, load_balancing_weight: weight, lb_endpoints: each = [] }) => {
    const ports = each.map(({ health_status, endpoint }) => {
      const port = endpoint?.address?.socket_address?.port_value;
      return health_status === 'HEALTHY' ? `${port}` : `${port} ${String(health_status)}`;
    });
    return `${locality?.zone}/${locality?.sub_zone} ${weight?.value}: ${ports.join(', ')}`;
  });
}

test('what is published of any name breaks no rule', () => {
  assert.equal(listenerProblem(routes('product'), filters()), undefined);
  assert.equal(clusterProblem(cluster('product')), undefined);
  assert.equal(assignmentProblem(assignment('product', [])), undefined);
});

test('whatever is registered makes an assignment that every client takes', () => {
  const some = fc.record({
    port: fc.integer({ min: 1, max: 40 }),
    zone: fc.constantFrom('', 'a', 'b'),
    weight: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(4_000_000_000)),
    status: fc.constantFrom<Status>('UP', 'DRAINING', 'OUT_OF_SERVICE'),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 30 }), (all) => {
      const instances = all.map(({ port, ...more }) => instance(port, more));
      assert.equal(assignmentProblem(assignment('product', instances)), undefined);
    }),
  );
});

test('a zone is a locality that weighs as much as its instances', () => {
  const all = [instance(1, { zone: 'a' }), instance(2, { zone: 'b' }), instance(3, { zone: 'a' })];
  assert.deepEqual(shape(all), ['a/ 2: 1, 3', 'b/ 1: 2']);
});

test('a weight makes a locality of its own, for round robin passes over weights of endpoints', () => {
  assert.deepEqual(shape([instance(1), instance(2, { weight: 9 })]), ['/ 1: 1', '/weight-9 9: 2']);
});

test('who drains stays listed as such and who is out of service is not listed', () => {
  const all = [
    instance(1),
    instance(2, { status: 'DRAINING' }),
    instance(3, { status: 'OUT_OF_SERVICE' }),
    instance(4, { status: 'DRAINING', zone: 'b' }),
  ];
  assert.deepEqual(shape(all), ['/ 1: 1, 2 DRAINING', 'b/ 1: 4 DRAINING']);
});

test('of two instances at one address the later one is listed', () => {
  const older = instance(1, { instanceId: 'older', zone: 'a' });
  assert.deepEqual(shape([older, instance(2, { zone: 'a' }), instance(1, { zone: 'b' })]), [
    'b/ 1: 1',
    'a/ 1: 2',
  ]);
});

test('every printable name is answered but wildcards and those of other authorities', () => {
  for (const name of ['a', 'product', 'Product', 'a_b', 'a/b', 'product:50051', 'x'.repeat(253)])
    assert.ok(answerable(name), name);
  for (const name of ['', '*', 'a b', 'a\n', 'é', 'xdstp://a/b', 'x'.repeat(254)])
    assert.ok(!answerable(name), name);
});

test('a listener that would be refused, or end a client, is told', () => {
  const [router] = filters();
  const config = routes('product');
  const withRoute = (route: object): string | undefined =>
    listenerProblem({ virtual_hosts: [{ name: 'x', domains: ['*'], routes: [route] }] }, filters());
  assert.equal(listenerProblem(config, []), 'the router must be the last filter');
  assert.equal(listenerProblem(config, [...filters(), { name: 'x' }]), 'the router must be the last filter');
  assert.equal(listenerProblem(config, [{ ...router }, { ...router }]), 'filters need names of their own');
  assert.equal(listenerProblem({ virtual_hosts: [] }, filters()), 'a virtual host is needed');
  assert.equal(
    listenerProblem({ virtual_hosts: [{ name: 'x' }] }, filters()),
    'a virtual host needs a domain',
  );
  assert.equal(withRoute({ non_forwarding_action: {} }), 'a route must forward');
  assert.equal(
    withRoute({ match: { safe_regex: { regex: '(' } }, route: { cluster: 'x' } }),
    'a route must not match by regex',
  );
  const clusters = [{ name: 'x', weight: { value: 0 } }];
  assert.match(withRoute({ route: { weighted_clusters: { clusters } } }) ?? '', /weights/);
});

test('a cluster that would be refused is told', () => {
  assert.match(clusterProblem({ ...cluster('x'), type: 'STRICT_DNS' }) ?? '', /type/);
  assert.match(clusterProblem({ ...cluster('x'), lb_policy: 'LEAST_REQUEST' }) ?? '', /policy/);
  assert.match(clusterProblem({ ...cluster('x'), eds_cluster_config: {} }) ?? '', /stream/);
});

test('endpoints that would be refused are told', () => {
  const [place = {}] = assignment('product', [instance(1)]).endpoints ?? [];
  const problem = (...endpoints: object[]): string => assignmentProblem({ endpoints }) ?? 'none';
  const at = (address: string, port = 1): object => ({
    ...place,
    lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: port } } } }],
  });
  assert.equal(problem(place), 'none');
  assert.match(problem({ ...place, locality: null }), /locality is missing/);
  assert.match(problem(place, place), /locality is listed twice/);
  assert.match(problem({ ...place, load_balancing_weight: { value: 0 } }), /no weight/);
  assert.match(problem({ ...place, load_balancing_weight: { value: 2 ** 32 } }), /exceed/);
  assert.match(problem({ ...place, priority: 1 }), /priority/);
  assert.match(problem(at('localhost')), /IP literal/);
  assert.match(problem(at('127.0.0.1', 0)), /port/);
  assert.match(problem(place, { ...place, locality: { zone: 'b' } }), /address is listed twice/);
});
