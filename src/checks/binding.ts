import { LARGEST_ENTRY, parseHosts } from './additional-hosts';
import { describeError, fail, show, Where } from './errors';
import { checkHeaders } from './http-rule';
import { checkGiven, checkList, fieldsOf, parseFields, readGiven } from './kinds';
import type { DeclaredPeer } from './peer';
import { ACCOUNTABILITY, checkAccountability, checkPort } from './values';
import type { LocalSourceOptions, PortMapping, RemoteServiceBindingOptions, SourceOptions } from '../binding-options';
import { LocalName } from '../local-name';
import type { IExposedService, IMeshPeer } from '../mesh-peer';
import { annotationsOf } from '../model/annotations';
import { DeclaredDestination, DeclaredPort, destinationKey, headersKey } from '../model/destinations';
import { Binding, BindingName, BoundaryConfig, ExactHeaders, isUnlisted, speaksHttp } from '../model/model';
import { serviceHost } from '../model/names';
import { isApiServer } from '../model/services';
import type { ServicePort } from '../service';

/*
 * The options of a binding and of its sources.
 */

const SOURCE = { weight: true, whenHeaders: true, portMappings: true } as const;
const SOURCE_FIELDS = fieldsOf<SourceOptions>(SOURCE);
const LOCAL_SOURCE_FIELDS = fieldsOf<LocalSourceOptions>({ weight: true, whenHeaders: true });
const BINDING_FIELDS = fieldsOf<RemoteServiceBindingOptions>({
  ...ACCOUNTABILITY, ...SOURCE, source: true, localName: true, additionalHosts: true,
});
const MAPPING_FIELDS = fieldsOf<PortMapping>({ localPort: true, exportPort: true });

/** Weight of a source and the headers that it requires, as the program sets them. */
export interface Weighting {
  readonly weight: number | undefined;
  readonly headers: ExactHeaders | undefined;
}

/**
 * Weight, headers and port mappings of a remote source. Without mappings, every allowed port has its exported number.
 */
export interface RemoteWeighting extends Weighting {
  readonly mappings: readonly PortMapping[] | undefined;
}

/** Rejects an unknown field in the options of `bind`, such as another mesh. Props of a binding may name the same one. */
export function parseBindingFields(
  where: Where, us: IMeshPeer, options: RemoteServiceBindingOptions & { readonly mesh?: IMeshPeer },
): RemoteServiceBindingOptions {
  return parseFields(where, 'the options of bind', options, readGiven(where, 'the options of bind', () => options?.mesh === us) ? ['mesh', ...BINDING_FIELDS] : BINDING_FIELDS);
}

/** The properties of a binding with its local name, which is checked except for conflicts with other bindings. */
export function parseBinding(
  where: Where, config: BoundaryConfig, given: RemoteServiceBindingOptions,
): RemoteServiceBindingOptions & { readonly name: BindingName } {
  const options = parseFields(where, 'the properties of RemoteServiceBinding', given, ['mesh', ...BINDING_FIELDS]);
  checkGiven(where, 'localName', options.localName, LocalName);
  checkAccountability(where, options);
  const { serviceName, namespaceName, existing } = options.localName._service;
  if (isApiServer(serviceName, namespaceName)) {
    fail('FED402', where, `the local name "${serviceName}.${namespaceName}" is the Service of the API server`, 'choose another local name');
  }
  const name = {
    serviceName,
    namespaceName,
    host: serviceHost(serviceName, namespaceName, config.clusterDomain),
    additionalHosts: parseHosts(where, config, options.additionalHosts),
    existing,
    annotations: annotationsOf(options),
  };
  return { ...options, name };
}

/** Checks the options of `addSource`, before its source. */
export function parseSourceFields(where: Where, options: SourceOptions): SourceOptions {
  return parseFields(where, 'the options of addSource', options, SOURCE_FIELDS);
}

/** What a remote source must have. */
interface Source extends Pick<IExposedService, 'exportName'> {
  readonly construct: IExposedService;
  readonly mesh: DeclaredPeer;
  readonly ports: readonly ServicePort[];
}

/** Checks a remote source with its weight, headers and port mappings. */
export function parseSource(where: Where, us: IMeshPeer, source: Source, options: SourceOptions): RemoteWeighting {
  if (source.mesh.trustDomain === us.trustDomain) {
    fail('FED407', where, `the source ${show(source.exportName)} is a service of our own mesh`,
      'call the service by its own name: traffic inside the mesh does not pass the boundary');
  }
  if (source.mesh.endpoints.length === 0) {
    fail('FED107', where, `mesh ${show(source.mesh.meshName)} has no endpoint, so ${show(source.exportName)} cannot be reached`,
      `set the address of its ingress gateway in ${source.mesh.construct.node.path}: endpoints: [{ address: … }]`);
  }
  if (source.mesh.ingressIdentity === undefined) {
    fail('FED137', where, `the ingressIdentity of mesh ${show(source.mesh.meshName)} is not set, so its ingress gateway cannot be verified`,
      `set ingressIdentity of ${source.mesh.construct.node.path} to the SPIFFE ID that its ingress gateway presents`);
  }
  const { weight, whenHeaders, portMappings } = options;
  const mappings = portMappings === undefined ? undefined : parseMappings(where, source, portMappings);
  checkWeighting(where, options);
  return { weight, headers: whenHeaders, mappings };
}

/** Checks the options of `addLocalSource`. Only an existing Service has pods. */
export function parseLocalSource(where: Where, { existing, host }: BindingName, given: LocalSourceOptions): Weighting {
  if (!existing) {
    fail('FED411', where, `${show(host)} is a new Service, which has no pods`, 'bind an existing Service: LocalName.existingService(…)');
  }
  const options = parseFields(where, 'the options of addLocalSource', given, LOCAL_SOURCE_FIELDS);
  checkWeighting(where, options);
  return { weight: options.weight, headers: options.whenHeaders };
}

/** The errors of a source that its mesh does not allow us to call, or not on each of the mapped ports. */
export function errorsInAccess(
  where: Where, us: IMeshPeer, { exportName, mesh: { meshName } }: Source, allowed: readonly number[], { mappings = [] }: RemoteWeighting,
): string[] {
  const error = (what: string) => describeError('FED403', where, `mesh ${show(meshName)} does not allow us to call ${what}`,
    `call allowFrom for mesh ${show(us.meshName)} in mesh ${show(meshName)}, or remove the binding`);
  if (allowed.length === 0) return [error(show(exportName))];
  return mappings.filter(({ exportPort }) => !allowed.includes(exportPort)).map(({ exportPort }) => error(`port ${exportPort} of ${show(exportName)}`));
}

/** The errors of a binding with more ports than its ServiceEntry takes. */
export function errorsInPortCount(where: Where, { host, additionalHosts }: BindingName, count: number): string[] {
  if (additionalHosts.length === 0 || count <= LARGEST_ENTRY) return [];
  return [describeError('FED412', where, `${show(host)} has additionalHosts and ${count} local ports, but a ServiceEntry takes ${LARGEST_ENTRY}`,
    'bind fewer ports with portMappings, or remove additionalHosts')];
}

/** Errors that several sources of one local port, or its sources and its callers, cause together. */
export function errorsInPort(where: Where, binding: Binding, { localPort, destinations }: DeclaredPort): string[] {
  const port = `port ${localPort} of ${show(binding.name.host)}`;
  const protocols = [...new Set(destinations.flatMap(({ route }) => route?.upstream.protocol ?? []))].sort();
  const bytes = !protocols.every(speaksHttp);
  const unlisted = binding.callers.find(isUnlisted);
  return [
    ...protocols.length > 1
      ? [describeError('FED410', where, `the sources of ${port} have different protocols: ${protocols.join(' and ')}`,
        'use one protocol for all sources of a local port, or map the sources to different local ports')]
      : [],
    ...bytes && destinations.some(({ headers }) => headers)
      ? [describeError('FED410', where, `a source of ${port} has whenHeaders, but the port is not HTTP or gRPC`, 'use weights: a TCP or TLS port has no headers')]
      : [],
    ...bytes && unlisted
      ? [describeError('FED408', where, `${port} is not HTTP or gRPC, but callers are allowed as ${show(unlisted.principal)}`,
        'list each caller with Caller.serviceAccount(…): on TCP and TLS ports, only listed identities are verified before the server sends data')]
      : [],
    ...errorsInDestinations(where, port, destinations),
  ];
}

function errorsInDestinations(where: Where, port: string, destinations: DeclaredDestination[]): string[] {
  const reject = (what: string, fix: string) => describeError('FED409', where, what, fix);
  const weighted = destinations.filter(({ headers }) => headers === undefined);
  const special = destinations.filter(({ headers }) => headers !== undefined).map(({ headers }) => headersKey(headers!));
  const twice = weighted.map(({ route }) => destinationKey(route)).find((key, index, all) => all.indexOf(key) !== index);
  const sameHeaders = special.find((key, index) => special.indexOf(key) !== index);
  return [
    ...weighted.length === 0
      ? [reject(`every source of ${port} has whenHeaders, so other requests have no destination`, 'add a source without whenHeaders, for example addLocalSource()')]
      : [],
    ...twice === undefined ? [] : [reject(`a source of ${port} is added twice`, 'add it once with the sum of the weights, or set whenHeaders for one of the two')],
    ...sameHeaders === undefined ? [] : [reject(`two sources of ${port} match the same headers ${sameHeaders}`, 'set different headers for each source')],
    ...new Set(weighted.map(({ weight }) => weight === undefined)).size > 1
      ? [reject(`some sources of ${port} have a weight and others have none`, 'set a weight for every source, or for none')]
      : [],
    ...weighted.length > 0 && weighted.every(({ weight }) => weight === 0)
      ? [reject(`all sources of ${port} have the weight 0`, 'set a positive weight for at least one source')]
      : [],
  ];
}

function checkWeighting(where: Where, { weight, whenHeaders }: LocalSourceOptions): void {
  if (weight !== undefined && !(Number.isFinite(weight) && weight >= 0 && weight <= Number.MAX_SAFE_INTEGER)) {
    fail('FED409', where, `the weight ${show(weight)} is not valid`, 'use a number of at least 0: weights are relative to each other');
  }
  if (whenHeaders === undefined) return;
  checkHeaders(where, 'whenHeaders', 'FED409', whenHeaders);
  if (weight !== undefined) {
    fail('FED409', where, `a source has both the weight ${show(weight)} and whenHeaders ${show(whenHeaders)}`,
      'remove one of them: the source gets every request with these headers, and no other');
  }
}

/** Where the program lists the ports of a source: in an export of its own, or in what the owner of a peer has sent. */
function portListOf(source: Source): string {
  const exportName = show(source.exportName);
  if ('allowFrom' in source.construct) return `correct ports of the export ${exportName}`;
  if ('exposedService' in source.mesh.construct) return `correct the entry ${exportName} in exposedServices of mesh ${show(source.mesh.meshName)}`;
  return `correct ports of the source ${exportName}`;
}

/** Requires that each mapping has a port of the source and a local port of its own. */
function parseMappings(where: Where, source: Source, given: PortMapping[]): PortMapping[] {
  checkList(where, 'portMappings', given);
  const mappings = given.map((mapping) => parseFields(where, 'an entry of portMappings', mapping, MAPPING_FIELDS));
  if (mappings.length === 0) fail('FED404', where, 'portMappings is an empty list', 'map at least one port, or omit portMappings to bind every allowed port');
  const known = source.ports.map(({ exportPort }) => exportPort);
  mappings.forEach((mapping, index) => {
    const { localPort, exportPort } = mapping;
    checkPort(where, 'FED404', localPort, 'local port');
    if (!known.includes(exportPort)) {
      fail('FED404', where, `${show(source.exportName)} does not export port ${show(exportPort)}`,
        `use one of its exported ports ${known.join(', ')}, or ${portListOf(source)} if it exports another one`);
    }
    if (mappings.findIndex((other) => other.localPort === localPort) !== index) {
      fail('FED404', where, `the local port ${localPort} is listed twice`, 'set a different localPort for each exported port');
    }
  });
  return mappings;
}
