import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fieldsOf, parseFields } from './checks/kinds';
import { checkLocalService, parseService } from './checks/service';
import { checkPort } from './checks/values';
import type { Protocol } from './model/model';
import type { ServiceManifest } from './model/services';

/**
 * Options of a `ServicePort`: the port number that peers use.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const port = ServicePort.http(9080, { exportPort: 443 });
 */
export interface ServicePortOptions {
  /**
   * Port number that peers use, such as `443`. It can stay the same when the Service's port changes.
   * @default - the port of the Service
   */
  readonly exportPort?: number;
}

const PORT_FIELDS = fieldsOf<ServicePortOptions>({ exportPort: true });

/**
 * A port of a service and its protocol, which decides which allow rules the gateways can enforce.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const ports = [ServicePort.http(9080, { exportPort: 80 }), ServicePort.grpc(9000), ServicePort.tcp(3306)];
 */
export class ServicePort {
  /**
   * A port that speaks HTTP/1.1, WebSocket included. Allow rules can match methods, paths, headers and end-user JWTs.
   *
   * Callers may use HTTP/2 with their own sidecar. Rejects numbers outside 1 to 65535 (FED303).
   *
   * @param port port of the Kubernetes Service, for example `9080`
   * @param options the port number for peers, if it differs
   */
  public static http(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('http', port, options);
  }

  /**
   * A port that speaks gRPC, unary and streaming. Allow rules can match gRPC methods and end-user JWTs.
   *
   * Every hop uses HTTP/2, so trailers arrive. The Service must declare it: a port named `http` or without a name loses
   * them (FED318). Rejects numbers outside 1 to 65535 (FED303).
   *
   * @param port port of the Kubernetes Service, for example `9000`
   * @param options the port number for peers, if it differs
   */
  public static grpc(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('grpc', port, options);
  }

  /**
   * A port with any TCP protocol, including those where the server speaks first, such as MySQL.
   *
   * The caller is authenticated; the payload is not inspected. Callers must be listed one by one (FED408). Rejects
   * numbers outside 1 to 65535 (FED303).
   *
   * @param port port of the Kubernetes Service, for example `3306`
   * @param options the port number for peers, if it differs
   */
  public static tcp(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('tcp', port, options);
  }

  /**
   * A port where the application terminates TLS itself. Its TLS is carried as bytes inside the boundary's mutual TLS.
   *
   * The application's certificate must fit the host that callers dial, or clients must be configured to expect its
   * name. Callers must be listed one by one (FED408). Rejects numbers outside 1 to 65535 (FED303).
   *
   * @param port port of the Kubernetes Service, for example `8443`
   * @param options the port number for peers, if it differs
   */
  public static tls(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('tls', port, options);
  }

  readonly #port: number;
  readonly #exportPort: number;
  readonly #protocol: Protocol;

  private constructor(protocol: Protocol, port: number, options: ServicePortOptions) {
    checkPort(`ServicePort.${protocol}`, 'FED303', port, 'service port');
    const { exportPort = port } = parseFields(`ServicePort.${protocol}`, 'the port options', options, PORT_FIELDS);
    checkPort(`ServicePort.${protocol}`, 'FED303', exportPort, 'exported port');
    this.#protocol = protocol;
    this.#port = port;
    this.#exportPort = exportPort;
  }

  /** Port of the Kubernetes Service, such as `9080`. */
  public get port(): number {
    return this.#port;
  }

  /** Port number that peers use, such as `443`. */
  public get exportPort(): number {
    return this.#exportPort;
  }

  /**
   * Protocol of the port.
   * @internal
   */
  public get _protocol(): Protocol {
    return this.#protocol;
  }
}

/**
 * A Kubernetes Service of our own mesh, to be exported.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const named = LocalService.fromName('reviews', 'default');
 * const checked = LocalService.fromConstruct(service); // ports are checked against the construct
 */
export class LocalService {
  /**
   * A Service by its name. Neither the Service nor its ports are checked: a wrong port ends in 503.
   *
   * The Service must be of a kind that can be exported, and declare the protocol of the port: a gRPC port must be named
   * `grpc` or have the `appProtocol` `grpc` or `kubernetes.io/h2c`. docs/how-to/protocols.md lists what works. Rejects
   * names that Kubernetes does not accept (FED111), and the API server (FED320).
   *
   * @param serviceName name of the Service, for example `reviews`
   * @param namespaceName namespace of the Service, for example `default`
   */
  public static fromName(serviceName: string, namespaceName: string): LocalService {
    checkLocalService('LocalService.fromName', serviceName, namespaceName);
    return new LocalService(serviceName, namespaceName);
  }

  /**
   * A Service by its construct: a cdk8s-plus `Service` of any version, or an `ApiObject` of kind Service.
   *
   * At the end of synthesis, its kind is checked, and that the exported ports exist and have the declared protocol
   * (FED318). Its chart then belongs to the exporting mesh. Rejects other kinds of constructs, and a Service whose
   * namespace neither it nor its chart sets (FED305).
   */
  public static fromConstruct(construct: IConstruct): LocalService {
    const { serviceName, namespaceName, object } = parseService('LocalService.fromConstruct', construct);
    return new LocalService(serviceName, namespaceName, object);
  }

  readonly #serviceName: string;
  readonly #namespaceName: string;
  readonly #construct?: ApiObject;

  private constructor(serviceName: string, namespaceName: string, construct?: ApiObject) {
    this.#serviceName = serviceName;
    this.#namespaceName = namespaceName;
    this.#construct = construct;
  }

  /** Name of the Service, such as `reviews`. */
  public get serviceName(): string {
    return this.#serviceName;
  }

  /** Namespace of the Service, such as `default`. */
  public get namespaceName(): string {
    return this.#namespaceName;
  }

  /**
   * The construct of the Service; undefined if only the name is given.
   * @internal
   */
  public get _object(): ApiObject | undefined {
    return this.#construct;
  }

  /**
   * The manifest of the Service, complete at the end of synthesis; undefined if only the name is given.
   * @internal
   */
  public _manifest(): ServiceManifest | undefined {
    return this.#construct?.toJson();
  }
}
