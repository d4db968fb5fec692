import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { VirtualServiceSpecHttpMatchHeaders } from '../../imports/networking.istio.io';
import { RequestAuthentication, RequestAuthenticationSpec } from '../../imports/security.istio.io';
import { BoundaryConfig, Issuer, requiredClaims, Token } from '../model/model';
import { issuerObjectName, PREFIX } from '../model/names';
import { patternOf } from '../model/patterns';

/*
 * End-user JWTs. A RequestAuthentication applies to all servers of a gateway, so it only configures the trusted
 * issuers. Which requests need which token is part of each grant, and is enforced twice like all rules: in the RBAC
 * rules of its virtual host and in its routes (docs/adr/0023).
 */

const CLAIMS = 'request.auth.claims';

/**
 * Creates the RequestAuthentication of one trusted issuer. Without it, requests of grants that require its tokens are
 * denied.
 */
export function renderIssuer(scope: Construct, config: BoundaryConfig, { issuer, jwks, jwksUri }: Issuer): ApiObject {
  const named = { name: issuerObjectName(`${PREFIX.ingress}-jwt`, issuer), namespace: config.ingress.namespaceName };
  return emit<RequestAuthenticationSpec>(scope, RequestAuthentication.GVK, named, () => ({
    selector: { matchLabels: config.ingress.selector },
    jwtRules: [{
      issuer,
      jwks,
      jwksUri,
      // By default Istio also accepts tokens in the query of a URL, and URLs end up in logs.
      fromHeaders: [{ name: 'Authorization', prefix: 'Bearer ' }],
      forwardOriginalToken: true,
    }],
  }));
}

/**
 * Header matches of a route for a required token. They check the `authorization` header itself as well: Envoy finds a
 * token after any text and in any of several such headers, so a backend could read another token than the verified one.
 */
export function tokenMatches(token: Token): { [name: string]: VirtualServiceSpecHttpMatchHeaders } {
  return {
    authorization: { regex: 'Bearer [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+' },
    ...Object.fromEntries(requiredClaims(token).map(({ path, values }) => [`@${CLAIMS}${path}`, oneOf(values)])),
  };
}

function oneOf(values: string[]): VirtualServiceSpecHttpMatchHeaders {
  return values.length === 1 ? { exact: values[0] } : { regex: patternOf(values) };
}
