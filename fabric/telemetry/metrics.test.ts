/** Metrics as Prometheus scrapes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { createMetrics } from './metrics.ts';

test('calls are counted by method and code, and timed by method', async () => {
  const { registry, rpc } = createMetrics('order');
  rpc.served('/mercer.order.v1.OrderService/GetOrder', status.OK, 0.004);
  rpc.served('/mercer.order.v1.OrderService/GetOrder', status.NOT_FOUND, 0.04);
  rpc.called('/mercer.product.v1.ProductService/ReserveStock', status.OK, 0.02);
  const text = await registry.metrics();
  const order = 'grpc_service="mercer.order.v1.OrderService",grpc_method="GetOrder"';
  assert.ok(text.includes(`grpc_server_handled_total{${order},grpc_code="OK",service="order"} 1`), text);
  assert.ok(text.includes(`grpc_server_handled_total{${order},grpc_code="NOT_FOUND",service="order"} 1`));
  assert.ok(text.includes(`grpc_server_handling_seconds_bucket{le="0.005",service="order",${order}} 1`));
  assert.ok(text.includes(`grpc_server_handling_seconds_count{service="order",${order}} 2`));
  assert.match(text, /grpc_client_handled_total\{grpc_service="mercer.product.v1.ProductService",/u);
});

test('HTTP requests are counted by route', async () => {
  const { registry, http } = createMetrics('gateway');
  http.served({ method: 'GET', route: '/v1/orders/{order_id}', status: 404, seconds: 0.003 });
  const text = await registry.metrics();
  const route = 'method="GET",route="/v1/orders/{order_id}"';
  assert.ok(text.includes(`http_requests_total{${route},status="404",service="gateway"} 1`), text);
  assert.ok(text.includes(`http_request_duration_seconds_count{service="gateway",${route}} 1`), text);
});

test('a gauge is read when it is asked for', async () => {
  const { registry, gauge } = createMetrics('order');
  let idle = 3;
  gauge('db_pool_idle', 'Idle connections.', () => idle);
  assert.match(await registry.metrics(), /^db_pool_idle\{service="order"\} 3$/mu);
  idle = 1;
  assert.match(await registry.metrics(), /^db_pool_idle\{service="order"\} 1$/mu);
});

test('the process itself is measured, event-loop delay included', async () => {
  const text = await createMetrics('order').registry.metrics();
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds\{service="order"\} [\d.e-]+$/mu);
  assert.match(text, /^process_resident_memory_bytes\{service="order"\} \d+$/mu);
});

test('two processes of one test do not share their counts', async () => {
  const [some, other] = [createMetrics('order'), createMetrics('order')];
  some.rpc.served('/a.B/C', status.OK, 1);
  assert.doesNotMatch(await other.registry.metrics(), /grpc_server_handled_total\{/u);
});
