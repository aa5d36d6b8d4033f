// Debian's Chromium, and pages that note everything which must not happen in them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const kFlags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const kShapes = {
  light: { viewport: { width: 1360, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1360, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 375, height: 812 }, colorScheme: 'light', hasTouch: true },
};

export const launch = () => chromium.launch({ executablePath: process.env.CAM_CHROMIUM, args: kFlags });

/** A page with `wrongs`: errors of scripts, violations of the policy, and requests that go elsewhere. */
export async function openPage(browser, url, shape = kShapes.light) {
  const context = await browser.newContext(shape);
  const page = await context.newPage();
  page.wrongs = [];
  page.on('pageerror', (error) => page.wrongs.push(`script: ${error.stack}`));
  page.on('console', (message) => {
    // A refused or failed request is said by the browser as well; what the page makes of it is tested where it is meant.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) page.wrongs.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) page.wrongs.push(`request to ${request.url()}`);
  });
  return page;
}

/** Goes to a view and waits until nothing is loading. */
export async function show(page, url, hash) {
  await page.goto(`${url}/${hash}`);
  await page.evaluate((wanted) => {
    if (location.hash !== wanted) location.hash = wanted;
  }, hash);
  await page.waitForFunction(() => document.querySelector('#view > *') && !document.querySelector('#view .state.loading'));
}

/** Serious and critical findings of axe-core, as texts. */
export async function findings(page) {
  await page.evaluate(kAxe);
  const violations = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations);
  return violations
    .filter((each) => ['serious', 'critical'].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} (${node.failureSummary?.split('\n')[1]?.trim()})`).join('; ')}`);
}

/** Nothing is wider than the window. */
export async function assertFits(page, where) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${where}: ${content} px are wider than the window's ${window} px`);
}
