// Prints one line for each test file: the first sentence of its leading comment, and the numbers of tests. Failures are shown in full, as
// by jest's own reporter. Jest does not compile reporters, so this is JavaScript.
const { readFileSync } = require('fs');
const { basename } = require('path');
const { DefaultReporter } = require('@jest/reporters');

/** The first sentence of the first block comment that begins a line, or the title of the only `describe` around all tests. */
function subjectOf(file, results) {
  const comment = /^\/\*+\s*\n([^]*?)\*\//m.exec(readFileSync(file, 'utf8'))?.[1];
  const sentence = comment && /^[^]*?\.(?=\s|$)/.exec(comment.replace(/^ \* ?/gm, '').replace(/\s+/g, ' ').trim())?.[0];
  const titles = new Set(results.map(({ ancestorTitles }) => ancestorTitles[0]).filter((title) => title !== undefined));
  return sentence?.slice(0, -1) ?? (titles.size === 1 ? [...titles][0] : basename(file));
}

module.exports = class extends DefaultReporter {
  printTestFileHeader(file, config, result) {
    const { numFailingTests, numPassingTests, numPendingTests, perfStats, testResults, testExecError } = result;
    const failed = numFailingTests > 0 || testExecError;
    const numbers = [
      ...failed ? [`${numFailingTests} failed`] : [], `${numPassingTests} passed`, ...numPendingTests > 0 ? [`${numPendingTests} skipped`] : [],
      `${((perfStats.end - perfStats.start) / 1000).toFixed(1)} s`,
    ].join(', ');
    this.log(`${failed ? 'FAIL' : 'ok  '} ${subjectOf(file, testResults)} (${basename(file)}: ${numbers})`);
    if (result.console) this.printConsole(result.console, file, config);
  }

  printConsole(entries, file) {
    for (const { type, message, origin } of entries) this.log(`console.${type} in ${basename(file)}: ${message}\n${origin.trim().split('\n')[0]}`);
  }
};
