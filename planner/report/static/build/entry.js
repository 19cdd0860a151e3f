// What the report's charts use of Apache ECharts, and nothing more: see ../ECHARTS.md.
import * as core from "echarts/core";
import { CustomChart, ScatterChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";

core.use([CustomChart, ScatterChart, GridComponent, LabelLayout, SVGRenderer]);

export const init = core.init;
export const version = core.version;
