import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapPiecewiseComponent } from 'echarts/components';
import { use } from 'echarts/core';

// The parts of ECharts that the chart definitions draw with; a renderer comes from whoever draws.
use([CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapPiecewiseComponent]);

export { init, setPlatformAPI, use } from 'echarts/core';
