/** Where everything of a fabric is to be found: the ready-file, but for its tokens. */

/** Addresses are host:port, URLs have a scheme, files and folders are absolute; absent is what does not run. */
export type Endpoints = {
  gateway?: string;
  registry?: string;
  xds?: string;
  idp?: string;
  config?: string;
  configGrpc?: string;
  zipkin?: string;
  acquirer?: string;
  product: string[];
  order: string[];
  payment: string[];
  ca: string;
  configRepo: string;
  /** URLs with the owner roles. */
  databases: Record<string, string>;
  logs: string;
};
