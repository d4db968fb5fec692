import { changedObjects } from './changed-objects';
import { foreignObjects } from './foreign-objects';
import { missingObjects } from './missing-objects';
import { privateKeys } from './private-keys';
import { unpinnedPeers } from './unpinned-peers';
import { weakTls } from './weak-tls';
import { wildcardHosts } from './wildcard-hosts';
import type { Rule } from '../rule';

/** All rules, in the order of the report. */
export const RULES: Rule[] = [privateKeys, weakTls, wildcardHosts, unpinnedPeers, changedObjects, missingObjects, foreignObjects];
