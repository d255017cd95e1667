#!/usr/bin/env node
// Adds up all windows of all cities through the gateway and says it in one line.
//   tools/demo-count.mjs http://127.0.0.1:8080
const gateway = process.argv[2];
const cities = new Set();
let posts = 0;
let windows = 0;
let token = '';
do {
  const query = new URLSearchParams({ from: '0', page_size: '1000', ...(token && { page_token: token }) });
  const response = await fetch(`${gateway}/api/v1/stores/city-metrics/windows?${query}`);
  if (!response.ok) {
    console.log(`no count yet (the gateway answers ${response.status})`);
    process.exit(0);
  }
  const page = await response.json();
  for (const { key, value } of page.items) {
    cities.add(key);
    posts += Number(value.posts);
    windows += 1;
  }
  token = page.next_page_token;
} while (token);
console.log(`${posts} posts counted in ${cities.size} cities and ${windows} windows`);
