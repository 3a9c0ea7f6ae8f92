//! nginx and HAProxy with configurations that do what the gateway does: keep-alive on both sides,
//! the headers that tell where a request came from, one worker.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::process::{Running, free_addr};

pub(crate) fn nginx(dir: &Path, backends: &[String]) -> io::Result<Option<Running>> {
    if !is_installed("nginx", "-v") {
        return Ok(None);
    }
    let addr = free_addr()?;
    let at = dir.display();
    let servers: String = backends
        .iter()
        .map(|b| format!("    server {b};\n"))
        .collect();
    let config = format!(
        "worker_processes 1;
daemon off;
pid {at}/nginx.pid;
error_log {at}/nginx.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {at}/body;
  proxy_temp_path {at}/proxy;
  fastcgi_temp_path {at}/fastcgi;
  uwsgi_temp_path {at}/uwsgi;
  scgi_temp_path {at}/scgi;
  upstream backends {{
{servers}    keepalive 64;
    keepalive_requests 100000000;
  }}
  server {{
    listen {addr};
    location / {{
      proxy_pass http://backends;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Request-Id $request_id;
      add_header X-Request-Id $request_id;
    }}
  }}
}}
"
    );
    let path = dir.join("nginx.conf");
    std::fs::write(&path, config)?;
    let mut command = Command::new("nginx");
    command
        .arg("-e")
        .arg(dir.join("nginx.log"))
        .arg("-p")
        .arg(dir)
        .arg("-c")
        .arg(path);
    Running::program(&mut command, addr).map(Some)
}

pub(crate) fn haproxy(dir: &Path, backends: &[String]) -> io::Result<Option<Running>> {
    if !is_installed("haproxy", "-v") {
        return Ok(None);
    }
    let addr = free_addr()?;
    let servers: String = backends
        .iter()
        .enumerate()
        .map(|(n, b)| format!("  server s{n} {b}\n"))
        .collect();
    let config = format!(
        "global
  nbthread 1
  maxconn 2048
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  http-reuse always
  option forwardfor
  unique-id-format %{{+X}}o%ci%cp%Ts%rt
  unique-id-header X-Request-Id
frontend front
  bind {addr}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  default_backend back
backend back
  balance leastconn
{servers}"
    );
    let path = dir.join("haproxy.cfg");
    std::fs::write(&path, config)?;
    Running::program(Command::new("haproxy").arg("-db").arg("-f").arg(path), addr).map(Some)
}

pub(crate) fn is_installed(program: &str, version: &str) -> bool {
    Command::new(program)
        .arg(version)
        .output()
        .is_ok_and(|o| o.status.success())
}
