let
  recursiveUpdate =
    one: other:
    one
    // builtins.mapAttrs (
      name: value: if one ? ${name} && builtins.isAttrs value && builtins.isAttrs one.${name} then recursiveUpdate one.${name} value else value
    ) other;
in
{
  inherit recursiveUpdate;
  mapAttrs = builtins.mapAttrs;
}
