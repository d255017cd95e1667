import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// TAILRACE_API lets `npm run dev` talk to a running gateway instead of the mock server.
const api = process.env.TAILRACE_API ?? "http://127.0.0.1:8099";

export default defineConfig({
  plugins: [react()],
  base: "./",
  server: { host: "127.0.0.1", proxy: { "/api": api } },
  build: {
    target: "es2020",
    chunkSizeWarningLimit: 600,
    rollupOptions: {
      output: {
        // The chart library changes rarely; apart, it stays in the browser's cache across releases.
        manualChunks: (id) => (/node_modules\/(echarts|zrender|tslib)\//.test(id) ? "charts" : undefined),
      },
    },
  },
  test: { environment: "node", include: ["test/**/*.test.{ts,tsx}"] },
});
