{ config, pkgs, ... }:
{
  networking.hostName = "web1";
  users.motd = "Hello from ${config.networking.hostName}, by deploy-rs";
}
